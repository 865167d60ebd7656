"""Change points, from what was typed to what is kept of them and shown again.

runs/<data>/_detections/<detector>/<id>/
  status.json config.yaml command.txt environment.json references.bib log.txt [error.txt]
  detection.json    segments, changes, sentences, scores      detection.npz  all numbers
  table.{md,tex,csv,html} plots/

Several are put side by side in runs/_comparisons/<name>/: a row per detector, over all data.
"""
