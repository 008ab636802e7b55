#!/usr/bin/env python3
"""Writes photos as an array for the trunks, and labels: PHOTOS COUNT SIZE OUTPUT-FOLDER."""

import sys

import numpy as np

import photos


def main(folder: str, count: str, size: str, output: str) -> None:
    paths, labels = photos.listed(folder)
    # From all classes alike.
    chosen = np.linspace(0, len(paths) - 1, int(count)).astype(int)
    np.save(f"{output}/pixels.npy", np.stack([photos.read(paths[i], int(size)) for i in chosen]))
    np.save(f"{output}/labels.npy", labels[chosen])


if __name__ == "__main__":
    main(*sys.argv[1:])
