"""The mean of the weights of several points of one training: as good as a slow end of it, where there is no time for one. --help lists the options."""

import argparse

from model import read_safetensors, write_safetensors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", nargs="+", help="model.safetensors of each point")
    parser.add_argument("--out", required=True, help="model.safetensors to write")
    given = parser.parse_args()
    points = [read_safetensors(path) for path in given.weights]
    write_safetensors(given.out, {name: sum(point[name] for point in points) / len(points) for name in points[0]})


if __name__ == "__main__":
    main()
