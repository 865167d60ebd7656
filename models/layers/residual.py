"""A perceptron beside the identity: z + W₂ dropout(relu(W₁ z + b₁)) + b₂, z: (…, width)."""

from torch import Tensor, nn


class Residual(nn.Module):
    """Learns what is to be added to a state."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.added = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width)
        )

    def forward(self, z: Tensor) -> Tensor:
        return z + self.added(z)
