"""Select: which of many models fits the data, judged before the test rows are looked at."""
