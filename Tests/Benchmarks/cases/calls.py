"""What a call costs when there is nothing to do."""

import losskit
import numpy as np
from contest import Contest, close, compare


@compare("Calls", "sigmoid of {} element", ((1,),), peer="torch", needs=["sigmoid"])
def sigmoid(count):
    import torch

    x = np.full(count, 0.5, np.float32)
    tensor = torch.from_numpy(x)
    return Contest(lambda: losskit.sigmoid(x), lambda: torch.sigmoid(tensor), close(1e-6))


@compare("Calls", "sigmoid of {} elements", ((1_000_000,),), peer="torch", needs=["sigmoid"])
def sigmoid_of_many(count):
    return sigmoid(count)


@compare("Calls", "softmax of {}×{}", ((1, 10),), peer="torch", needs=["softmax"])
def softmax(rows, classes):
    import torch

    z = np.arange(rows * classes, dtype=np.float32).reshape(rows, classes)
    tensor = torch.from_numpy(z)
    return Contest(lambda: losskit.softmax(z), lambda: torch.softmax(tensor, -1), close(1e-6))


@compare("Calls", "cross-entropy, value and gradient, {}×{}", ((1, 10),), peer="torch", needs=["cross_entropy"])
def cross_entropy(rows, classes):
    import torch

    z, y = np.arange(rows * classes, dtype=np.float32).reshape(rows, classes), np.zeros(rows, np.int64)
    tensor, targets = torch.from_numpy(z.copy()).requires_grad_(), torch.from_numpy(y)

    def peer():
        tensor.grad = None
        value = torch.nn.functional.cross_entropy(tensor, targets)
        value.backward()
        return value.detach(), tensor.grad

    return Contest(lambda: losskit.cross_entropy(z, y, grad=True), peer, close(1e-6))


@compare("Calls", "NMS of {} boxes", ((10,),), peer="torchvision", needs=["nms"])
def nms(count):
    import torch
    import torchvision

    corners = np.arange(count, dtype=np.float32)[:, None] * 3
    boxes, scores = np.concatenate([corners, corners, corners + 10, corners + 10], 1), np.linspace(1, 0.1, count)
    scores = scores.astype(np.float32)
    tensors = torch.from_numpy(boxes), torch.from_numpy(scores)
    return Contest(
        lambda: losskit.nms(boxes, scores, iou_threshold=0.5), lambda: torchvision.ops.nms(*tensors, 0.5), close(0)
    )
