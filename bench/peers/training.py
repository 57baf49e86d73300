"""
What the peers of `npm run bench -- engine` share: one training step of a network in eager PyTorch, spoken to by lines.

Reads JSON lines on stdin. The first one says what to train:

    threads       intra-op threads
    tensors       a safetensors file: the parameters under the original's names and in its layouts (conv kernels
                  HWIO, dense ones (in, out)), and the batch: `batch/examples` int32 [B,H,W,C],
                  `batch/orders` int32 [B,H*W*C] (ranks), `batch/timeSteps` int32 [B]
    network       the config's settings of the network
    channelsLast  memory format of the maps: true or false, whichever is faster here (images only)
    numClasses, absorbing, ceWeight, learningRate, clip, ema

Each further line runs one step of loss, backward, global-norm clip, Adam and moving average, always on the same batch, and
is answered by one line: seconds, cpuSeconds (of all threads), loss (bits per dimension), gradientNorm, peakBytes
(resident, of the process) and cudaBytes (what of these the CUDA libraries take up, which a build for the CPU would not load).
"""

import json
import math
import mmap
import re
import struct
import sys
import time

import torch


def read_tensors(path):
    types = {'F32': torch.float32, 'I32': torch.int32}
    with open(path, 'rb') as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    (length,) = struct.unpack('<Q', data[:8])
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == '__metadata__':
            continue
        begin, end = entry['data_offsets']
        dtype = types[entry['dtype']]
        flat = torch.frombuffer(data, dtype=dtype, offset=8 + length + begin, count=(end - begin) // dtype.itemsize)
        tensors[name] = flat.reshape(entry['shape'])
    return tensors


def sinusoids(positions, width):
    """All sines, then all cosines, [N, width], of positions [N]."""
    half = width // 2
    frequencies = torch.exp(torch.arange(half) * (-math.log(10000) / (half - 1)))
    angles = positions[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


class Training:
    """
    Steps of an order-agnostic model. `create(parameters, request)` makes a network with `weights`, a dictionary of tensors, and
    `log_likelihood(classes, known, time_steps, examples)`: nats of each variable, from int64 and bool [B,C,H,W] and int32 [B].
    """

    def __init__(self, create, request):
        tensors = read_tensors(request['tensors'])
        examples, orders, time_steps = (tensors.pop(f'batch/{name}') for name in ('examples', 'orders', 'timeSteps'))
        self.request = request
        self.net = create(tensors, request)
        self.weights = list(self.net.weights.values())
        self.ema = [weight.detach().clone() for weight in self.weights]
        self.adam = torch.optim.Adam(self.weights, lr=request['learningRate'], fused=True)
        self.examples = examples.long().permute(0, 3, 1, 2).contiguous()
        self.orders = orders.reshape(examples.shape).permute(0, 3, 1, 2).contiguous()
        self.time_steps = time_steps.clone()

    def step(self):
        request = self.request
        batch, num_variables = self.orders.shape[0], self.orders[0].numel()
        known = self.orders < self.time_steps[:, None, None, None]
        classes = torch.where(known, self.examples, request['absorbing'])
        values = self.net.log_likelihood(classes, known, self.time_steps, self.examples)
        nats = (values * ~known).sum((1, 2, 3))
        weight = num_variables / (num_variables - self.time_steps) + request['ceWeight']
        loss = -(nats * weight).sum() / (num_variables * math.log(2) * batch)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.weights, request['clip'], foreach=True)
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        with torch.no_grad():
            torch._foreach_lerp_(self.ema, self.weights, 1 - request['ema'])
        return loss.item(), norm.item()


def peak_bytes():
    with open('/proc/self/status') as file:
        return int(re.search(r'VmHWM:\s+(\d+)', file.read())[1]) * 1024


def cuda_bytes():
    total, inside = 0, False
    with open('/proc/self/smaps') as file:
        for line in file:
            if re.match(r'[0-9a-f]+-[0-9a-f]+ ', line):
                inside = '/nvidia/' in line or re.search(r'/lib(torch|c10)_(cuda|nvshmem)', line) is not None
            elif inside and line.startswith('Rss:'):
                total += int(line.split()[1]) * 1024
    return total


def serve(create):
    """Answers stdin's lines until they end."""
    request = json.loads(sys.stdin.readline())
    torch.set_num_threads(request['threads'])
    training = Training(create, request)
    for _ in sys.stdin:
        started, cpu = time.perf_counter(), time.process_time()
        loss, norm = training.step()
        answer = {
            'seconds': time.perf_counter() - started,
            'cpuSeconds': time.process_time() - cpu,
            'loss': loss,
            'gradientNorm': norm,
            'peakBytes': peak_bytes(),
            'cudaBytes': cuda_bytes(),
        }
        print(json.dumps(answer), flush=True)
