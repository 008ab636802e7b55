"""The tutorial's head in PyTorch."""

from __future__ import annotations

import numpy as np
import torch

import job


class Head(torch.nn.Module):
    """Dense 1024, Dropout, Dense 1, initialized as Keras does; gives logits."""

    def __init__(self, rate: float = 0.2) -> None:
        super().__init__()
        self.hidden, self.output = torch.nn.Linear(job.FEATURES, 1024), torch.nn.Linear(1024, 1)
        self.rate = rate
        for layer in (self.hidden, self.output):
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.hidden(x))
        return self.output(torch.nn.functional.dropout(hidden, self.rate, self.training)).squeeze(1)


class Trainer:
    """Steps with RMSprop 1e-4; forward, backward and update compiled by torch.compile where `compiled`.

    PyTorch's RMSprop adds epsilon behind the root, Keras's under it. Where `as_keras`, the update follows Keras's
    formula, operation by operation, so that losses can be compared.
    """

    def __init__(self, head: Head, compiled: bool, as_keras: bool = False) -> None:
        self.head, self.loss_of = head, torch.nn.BCEWithLogitsLoss()
        # As near as one place of epsilon comes to the other.
        self.optimizer = torch.optim.RMSprop(head.parameters(), lr=job.RATE, alpha=0.9, eps=1e-7**0.5, foreach=True)
        self.squares = [torch.zeros_like(parameter) for parameter in head.parameters()] if as_keras else []
        self.forward, self.update = self.losses, self.keras_update if as_keras else self.optimizer.step
        if compiled:
            self.forward = torch.compile(self.losses)
            self.update = self.update if as_keras else torch.compile(lambda: self.optimizer.step())

    @torch.no_grad()
    def keras_update(self) -> None:
        for parameter, squares in zip(self.head.parameters(), self.squares):
            squares.mul_(0.9).addcmul_(parameter.grad, parameter.grad, value=0.1)
            parameter.addcdiv_(parameter.grad, (squares + 1e-7).sqrt(), value=-job.RATE)

    def losses(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        answers = self.head(x)
        return self.loss_of(answers, y), ((answers > 0) == (y > 0.5)).float().mean()

    def step(self, x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
        """Loss and accuracy of the batch."""
        self.optimizer.zero_grad(set_to_none=True)
        loss, accuracy = self.forward(x, y)
        loss.backward()
        self.update()
        return loss.item(), accuracy.item()

    def epoch(self, x: torch.Tensor, y: torch.Tensor, generator: torch.Generator) -> dict[str, float]:
        self.head.train()
        order = torch.randperm(len(x), generator=generator)
        figures = []
        for start in range(0, len(x), job.BATCH):
            rows = order[start : start + job.BATCH]
            figures.append((*self.step(x[rows], y[rows]), len(rows)))
        loss, accuracy, count = np.array(figures).T
        return {"loss": np.average(loss, weights=count), "accuracy": np.average(accuracy, weights=count)}

    @torch.no_grad()
    def validate(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        self.head.eval()
        answers = torch.cat([self.head(part) for part in x.split(100)])
        return {
            "val_loss": self.loss_of(answers, y).item(),
            "val_accuracy": ((answers > 0) == (y > 0.5)).float().mean().item(),
        }
