#!/usr/bin/python3
"""Train small networks on Fashion-MNIST and write them as ONNX, for what speaks of accuracy.

    train/fashion.py                             train all three, write models/, measure them with cleave
    train/fashion.py --networks fashion_lenet    one of them
    train/fashion.py --measure                   only measure what is there again: models/accuracy.json

A network takes the picture as it is, FP32 [N,1,28,28] of 0 to 1, and answers logits [N,10]. Seeded: on
the same machine and version of torch it gives the same weights. train/README.md has recipes and times.
"""
import argparse
import gzip
import json
import math
import os
import struct
import subprocess
import sys
import time

import numpy
import torch
import torch.nn.functional as F
from torch import nn

DATA = "/usr/share/datasets/fashion-mnist"
MEAN, STD = 0.2860, 0.3530  # of the training images
MARGIN = 1  # pixels by which a training image is shifted at the most


class InputConv(nn.Conv2d):
    """A convolution of (x - MEAN) / STD, padded with black as the pictures' own background is. It is a
    convolution of x with other weights, and written as one: the network then has no tensor of normalised
    pixels at which it could be cut for nothing."""

    def folded(self):
        weight = self.weight / STD
        return weight, self.bias - MEAN * weight.sum((1, 2, 3))

    def forward(self, x):
        return F.conv2d(x, *self.folded(), padding=self.padding)

    def plain(self):
        conv = nn.Conv2d(self.in_channels, self.out_channels, self.kernel_size, padding=self.padding)
        with torch.no_grad():
            for to, value in zip((conv.weight, conv.bias), self.folded()):
                to.copy_(value)
        return conv


def lenet():
    """LeNet-5 (LeCun et al., 1998) with what became usual since: ReLU and max pooling."""
    return nn.Sequential(
        InputConv(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def alexnet():
    """AlexNet's five convolutions and three poolings (Krizhevsky et al., 2012) for 28 x 28, with batch
    normalisation, which the export folds away, and one hidden dense layer less."""
    def conv(a, b, make=nn.Conv2d):
        return [make(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU()]
    return nn.Sequential(
        *conv(1, 32, InputConv), nn.MaxPool2d(2), *conv(32, 64), nn.MaxPool2d(2),
        *conv(64, 96), *conv(96, 96), *conv(96, 64), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.3), nn.Linear(576, 256), nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, 10))


class Block(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(),
            nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b))
        self.skip = nn.Identity() if stride == 1 and a == b else nn.Sequential(
            nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b))

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x))


def resnet18(width=8):
    """ResNet18 (He et al., 2016), an eighth as wide, with the first convolution that CIFAR's ResNets have."""
    layers = [InputConv(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    wide = width
    for stage in range(4):
        for block in range(2):
            layers.append(Block(wide, width << stage, 2 if stage and not block else 1))
            wide = width << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, 10))


# name: network, epochs, highest learning rate, weight decay, least accuracy that is written
RECIPES = {
    "fashion_lenet": (lenet, 14, 4e-3, 1e-4, 0.900),
    "fashion_resnet18": (resnet18, 10, 1e-2, 1e-4, 0.925),
    "fashion_alexnet": (alexnet, 8, 4e-3, 1e-4, 0.925),
}
BATCH, SEED, SMOOTHING = 128, 1, 0.05


def read_idx(path):
    with gzip.open(path) as file:
        _, _, kind, rank = struct.unpack("4B", file.read(4))
        assert kind == 8, path
        shape = struct.unpack(f">{rank}I", file.read(4 * rank))
        return numpy.frombuffer(file.read(), numpy.uint8).reshape(shape)


def load(folder, part):
    images = torch.from_numpy(read_idx(f"{folder}/{part}-images-idx3-ubyte.gz").copy())
    labels = torch.from_numpy(read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz").astype(numpy.int64))
    return images[:, None].float() / 255, labels


def shifted(padded, rows):
    """These images, each moved by up to MARGIN pixels and every other one mirrored."""
    windows = padded.unfold(2, 28, 1).unfold(3, 28, 1)  # [N,1,3,3,28,28], a view
    at = torch.randint(0, 2 * MARGIN + 1, (2, len(rows)))
    x = windows[rows, :, at[0], at[1]]
    return torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, x.flip(3), x)


def rate(done, highest):
    """One cycle: up over the first fifth, then down along a cosine."""
    return highest * (0.1 + 0.9 * done / 0.2) if done < 0.2 else highest * 0.5 * (1 + math.cos(math.pi * (done - 0.2) / 0.8))


def right(net, images, labels):
    net.eval()
    with torch.no_grad():
        return sum((net(x).argmax(1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500)))


def train(name, folder):
    make, epochs, highest, decay, _ = RECIPES[name]
    torch.manual_seed(SEED)
    images, labels = load(folder, "train")
    test_images, test_labels = load(folder, "t10k")
    padded = F.pad(images, (MARGIN,) * 4)
    net = make()
    optimiser = torch.optim.AdamW(net.parameters(), highest, weight_decay=decay)
    steps = len(labels) // BATCH
    print(f"{name}: {sum(p.numel() for p in net.parameters())} parameters", flush=True)
    for epoch in range(epochs):
        net.train()
        start, loss_sum, order = time.time(), 0.0, torch.randperm(len(labels))
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = rate((epoch + step / steps) / epochs, highest)
            rows = order[step * BATCH:(step + 1) * BATCH]
            loss = F.cross_entropy(net(shifted(padded, rows)), labels[rows], label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            loss_sum += loss.item()
        share = right(net, test_images, test_labels) / len(test_labels)
        print(f"  epoch {epoch + 1}: loss {loss_sum / steps:.4f}, test {share:.2%}, {time.time() - start:.0f} s", flush=True)
    return net.eval(), share


def with_plain_input(net):
    return nn.Sequential(*(layer.plain() if isinstance(layer, InputConv) else layer for layer in net)).eval()


def export(net, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.onnx.export(with_plain_input(net), torch.zeros(1, 1, 28, 28), path, opset_version=13, input_names=["image"],
                      output_names=["logits"], dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})


def measure(cleave, model, folder, samples):
    """The share of right answers of the file itself, run by cleave."""
    command = [cleave, "profile", model, "--data", folder, "--samples", str(samples), "--max-cuts", "1", "--budget", "100ms",
               "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["accuracy"]


def write_accuracy(cleave, out, folder):
    document = {"data": "Fashion-MNIST, test images", "measured_with":
                "cleave profile models/NAME --data " + DATA + " --samples N --json", "models": {}}
    for name in RECIPES:
        if not os.path.exists(f"{out}/{name}/1/model.onnx"):
            continue
        shares = {str(n): measure(cleave, f"{out}/{name}", folder, n) for n in (10000, 1000)}
        document["models"][name] = {"accuracy": shares["10000"], "accuracy_of_1000": shares["1000"]}
        print(f"{name}: {shares['10000']:.2%} of 10,000")
    with open(f"{out}/accuracy.json", "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


def main():
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--data", default=DATA, help="folder of the idx files (%(default)s)")
    parser.add_argument("--out", default=f"{top}/models", help="repository to write to (models/)")
    parser.add_argument("--cleave", default=f"{top}/build/cleave", help="the program that measures (build/cleave)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--measure", action="store_true", help="do not train")
    parser.add_argument("--train", action="store_true", help="do not measure")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in [] if options.measure else options.networks:
        net, share = train(name, options.data)
        if share < RECIPES[name][-1]:
            sys.exit(f"{name}: {share:.2%} is below {RECIPES[name][-1]:.1%}: nothing is written")
        export(net, f"{options.out}/{name}/1/model.onnx")
    if not options.train:
        write_accuracy(options.cleave, options.out, options.data)


main()
