"""
The U-Net's training step in eager PyTorch: the peer of `npm run bench -- engine`.

Reads JSON lines on stdin. The first one says what to train:

    threads       intra-op threads
    channelsLast  memory format of the maps: true or false, whichever is faster here
    tensors       a safetensors file: the parameters under the original's names and in its layouts (conv kernels
                  HWIO, dense ones (in, out)), and the batch: `batch/examples` uint8 [B,H,W,C], `batch/orders`
                  int32 [B,H*W*C] (ranks), `batch/timeSteps` int32 [B]
    numClasses, absorbing, blocks, groups, ceWeight, learningRate, clip, ema

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
import torch.nn.functional as F


def read_tensors(path):
    types = {'F32': torch.float32, 'I32': torch.int32, 'U8': torch.uint8}
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


class UNet:
    """Logits [B, C*K, H, W] from classes int64 and mask float32 [B, C, H, W] and the time embedding [B, channels]."""

    def __init__(self, tensors, request):
        self.blocks, self.groups, self.num_classes = request['blocks'], request['groups'], request['numClasses']
        self.format = torch.channels_last if request['channelsLast'] else torch.contiguous_format
        self.weights = {name: self._weight(name, value) for name, value in tensors.items()}

    def _weight(self, name, value):
        if value.dim() == 4:
            value = value.permute(3, 2, 0, 1)
        elif name.endswith('/kernel'):
            value = value.t()
        return value.clone(memory_format=self.format if value.dim() == 4 else torch.contiguous_format).requires_grad_()

    def _conv(self, name, x):
        return F.conv2d(x, self.weights[f'{name}/kernel'], self.weights[f'{name}/bias'], padding=1)

    def _dense(self, name, x):
        return F.linear(x, self.weights[f'{name}/kernel'], self.weights[f'{name}/bias'])

    def _norm(self, name, x):
        return F.group_norm(x, self.groups, self.weights[f'{name}/scale'], self.weights[f'{name}/bias'], 1e-6)

    def _residual(self, name, x, time):
        h = self._conv(f'{name}/conv1', F.silu(self._norm(f'{name}/norm1', x)))
        h = h + self._dense(f'{name}/temb_proj', time)[:, :, None, None]
        h = self._conv(f'{name}/conv2', F.silu(self._norm(f'{name}/norm2', h)))
        if f'{name}/nin_shortcut/kernel' in self.weights:
            kernel, bias = self.weights[f'{name}/nin_shortcut/kernel'], self.weights[f'{name}/nin_shortcut/bias']
            x = F.conv2d(x, kernel[:, :, None, None], bias)
        return x + h

    def _attention(self, name, x):
        batch, channels, height, width = x.shape
        h = self._norm(f'{name}/norm', x).permute(0, 2, 3, 1).reshape(batch, 1, height * width, channels)
        query, key, value = (self._dense(f'{name}/{part}', h) for part in 'qkv')
        h = self._dense(f'{name}/proj_out', F.scaled_dot_product_attention(query, key, value))
        return x + h.reshape(batch, height, width, channels).permute(0, 3, 1, 2)

    def __call__(self, classes, mask, time):
        block = 'InputProcessingImage_0'
        time = F.silu(self._dense(f'{block}/TimeEmbedding_0/dense0', time))
        time = F.silu(self._dense(f'{block}/TimeEmbedding_0/dense1', time))
        pixels = torch.cat([classes * (2 / self.num_classes) - 1, mask], 1).contiguous(memory_format=self.format)
        embedded = F.embedding(classes.permute(0, 2, 3, 1), self.weights[f'{block}/Embed_0/embedding']).flatten(3)
        embedded = self._dense(f'{block}/emb_x_proj', embedded).permute(0, 3, 1, 2)
        h = torch.cat([self._conv(f'{block}/conv_in', pixels), embedded], 1)
        skips = [h]
        for i in range(self.blocks):
            h = self._residual(f'down_0.block_{i}', h, time)
            skips.append(h)
        h = self._residual('mid.block_1', h, time)
        h = self._attention('mid.attn_1', h)
        h = self._residual('mid.block_2', h, time)
        for i in range(self.blocks + 1):
            h = self._residual(f'up_0.block_{i}', torch.cat([h, skips.pop()], 1), time)
        return self._conv('conv_out', F.silu(self._norm('norm_out', h)))


class Training:
    def __init__(self, request):
        tensors = read_tensors(request['tensors'])
        examples, orders, time_steps = (tensors.pop(f'batch/{name}') for name in ('examples', 'orders', 'timeSteps'))
        self.request = request
        self.net = UNet(tensors, request)
        self.weights = list(self.net.weights.values())
        self.ema = [weight.detach().clone() for weight in self.weights]
        self.adam = torch.optim.Adam(self.weights, lr=request['learningRate'], fused=True)
        self.examples = examples.long().permute(0, 3, 1, 2).contiguous()
        self.orders = orders.reshape(examples.shape).permute(0, 3, 1, 2).contiguous()
        self.time_steps = time_steps.clone()

    def _time_embedding(self, max_time):
        half = self.net.weights['InputProcessingImage_0/TimeEmbedding_0/dense0/kernel'].shape[1] // 2
        frequencies = torch.exp(torch.arange(half) * (-math.log(10000) / (half - 1)))
        angles = (self.time_steps * (1000 / max_time))[:, None] * frequencies
        return torch.cat([angles.sin(), angles.cos()], 1)

    def _log_likelihood(self, logits):
        num_classes = self.net.num_classes
        if self.net.format == torch.channels_last:
            # [B*H*W*C, K]: each softmax over neighbouring values.
            logits = logits.permute(0, 2, 3, 1).reshape(-1, num_classes)
            target = self.examples.permute(0, 2, 3, 1)
            values = -F.cross_entropy(logits, target.reshape(-1), reduction='none')
            return values.reshape(target.shape).permute(0, 3, 1, 2)
        batch, channels, height, width = self.examples.shape
        logits = logits.reshape(batch * channels, num_classes, height, width)
        values = -F.cross_entropy(logits, self.examples.reshape(-1, height, width), reduction='none')
        return values.reshape(self.examples.shape)

    def step(self):
        request = self.request
        batch, num_variables = self.orders.shape[0], self.orders[0].numel()
        known = self.orders < self.time_steps[:, None, None, None]
        classes = torch.where(known, self.examples, request['absorbing'])
        logits = self.net(classes, known.float(), self._time_embedding(num_variables))
        nats = (self._log_likelihood(logits) * ~known).sum((1, 2, 3))
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


def main():
    request = json.loads(sys.stdin.readline())
    torch.set_num_threads(request['threads'])
    training = Training(request)
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


main()
