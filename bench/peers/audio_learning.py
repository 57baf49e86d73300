"""
The reference of `npm run bench -- learning --run audio`: an independent implementation in eager PyTorch of an Upscale ARDM on audio, the
algorithm of the original (base 16, direct parametrisation, a net after DiffWave), trained on a folder of spoken digits:

    audio_learning.py --clips FOLDER --into bench/reference

writes audio-curve.json, the test NELBO of three seeds while they train, and audio-orders.bin, the orders it was evaluated with.
Clips are 16-bit mono WAVs below FOLDER, in the order of their names; a hash of its name says whether one is for the test.
"""

import argparse
import array
import hashlib
import json
import math
import pathlib
import sys
import wave

import torch
import torch.nn.functional as F
from torch import nn

LENGTH, TEST_FRACTION, DRAWS_A_CLIP = 2000, 0.1, 4
BASE, STAGES = 16, 4
CLASSES, SILENCE = BASE**STAGES, BASE**STAGES // 2
CHANNELS, BLOCKS, CYCLE = 32, 8, 8
STEPS, EVERY, BATCH, SEEDS = 600, 100, 8, (0, 1, 2)
LEARNING_RATE, CLIP, EMA, CE_WEIGHT = 1e-3, 1000, 0.99, 1e-4

ABOUT = (
    'Test NELBO (bits per dimension, moving average of the parameters) of an independent implementation while it trains on audio, and the draws '
    'that it was evaluated with: row i of audio-orders.bin (ranks, uint16 little-endian) and timeSteps[i] (over all stages) belong to test example i '
    'modulo their number. dataSha256 is of the classes, uint16 little-endian, of the training and then the test examples.'
)
TRAINING = (
    f'Clips cut to {LENGTH} samples; Upscale in {STAGES} stages of base {BASE}, direct; {BLOCKS} blocks, {CHANNELS} channels, dilation cycle {CYCLE}; '
    f'batch {BATCH}, {STEPS} steps of Adam at {LEARNING_RATE}, clip {CLIP}, moving average {EMA}, cross-entropy weight {CE_WEIGHT}; '
    'batches uniform with replacement; stages and times uniform'
)


def read_clips(folder):
    """Classes of the training and the test clips, int64 [N, LENGTH]."""
    splits = {'train': [], 'test': []}
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob('*.wav'))
    for name in names:
        with wave.open(str(folder / name)) as clip:
            samples = array.array('h', clip.readframes(LENGTH))
        samples.extend([0] * (LENGTH - len(samples)))
        draw = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], 'big')
        splits['test' if draw < TEST_FRACTION * 2**32 else 'train'].append(samples)
    return [torch.tensor(clips, dtype=torch.int64) + SILENCE for clips in splits.values()]


def little_endian(values):
    words = array.array('H', values.flatten().tolist())
    if sys.byteorder == 'big':
        words.byteswap()
    return words.tobytes()


def lecun_(kernel, gain=1):
    """Truncated normal of variance gain / fan_in."""
    deviation = math.sqrt(gain / kernel[0].numel()) / 0.87962566103423978
    nn.init.trunc_normal_(kernel, std=deviation, a=-2 * deviation, b=2 * deviation)


def layer(kind, *sizes, gain=1, **settings):
    made = kind(*sizes, **settings)
    lecun_(made.weight, gain)
    nn.init.zeros_(made.bias)
    return made


class Block(nn.Module):
    def __init__(self, dilation):
        super().__init__()
        wide = {'gain': 2, 'padding': dilation, 'dilation': dilation}
        self.time = layer(nn.Linear, 4 * CHANNELS, CHANNELS)
        self.tanh, self.sigmoid = (layer(nn.Conv1d, CHANNELS, CHANNELS, 3, **wide) for _ in range(2))
        self.skip, self.residual = (layer(nn.Conv1d, CHANNELS, CHANNELS, 1, gain=2) for _ in range(2))

    def forward(self, h, time):
        z = h + self.time(F.silu(time))[:, :, None]
        y = torch.tanh(self.tanh(z)) * torch.sigmoid(self.sigmoid(z))
        return (h + self.residual(y)) / math.sqrt(2), self.skip(y)


class Net(nn.Module):
    """Logits of every stage's digit, [B, STAGES, BASE, L], from classes [B, L], mask [B, L], stage [B] and global step [B]."""

    def __init__(self):
        super().__init__()
        self.read = layer(nn.Conv1d, 2 + STAGES, CHANNELS * 3 // 4, 3, padding=1)
        self.embedding = nn.Embedding(CLASSES, CHANNELS // 4)
        nn.init.normal_(self.embedding.weight, std=1 / math.sqrt(CHANNELS // 4))
        self.embedded = layer(nn.Linear, CHANNELS // 4, CHANNELS // 4)
        self.time0 = layer(nn.Linear, CHANNELS, 4 * CHANNELS)
        self.time1 = layer(nn.Linear, 4 * CHANNELS, 4 * CHANNELS)
        self.blocks = nn.ModuleList(Block(2 ** (i % CYCLE)) for i in range(BLOCKS))
        self.hidden = layer(nn.Conv1d, CHANNELS, CHANNELS, 1, gain=2)
        self.out = layer(nn.Conv1d, CHANNELS, STAGES * BASE, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, classes, known, stage, step):
        half = CHANNELS // 2
        frequencies = torch.exp(torch.arange(half) * (-math.log(10000) / (half - 1)))
        angles = step[:, None] * (1000 / (STAGES * LENGTH)) * frequencies
        time = self.time1(F.silu(self.time0(torch.cat([angles.sin(), angles.cos()], 1))))

        stages = F.one_hot(stage, STAGES).float()[:, :, None].expand(-1, -1, LENGTH)
        values = torch.cat([(classes * (2 / CLASSES) - 1)[:, None], known[:, None].float(), stages], 1)
        embedded = self.embedded(self.embedding(classes)).transpose(1, 2)
        h = F.relu(torch.cat([self.read(values), embedded], 1))
        total = 0
        for block in self.blocks:
            h, skip = block(h, time)
            total = total + skip
        return self.out(F.relu(self.hidden(total / math.sqrt(BLOCKS)))).unflatten(1, (STAGES, BASE))


def nats(net, x, order, step):
    """Log-likelihood of the digits that are unknown at the global steps, summed, [B]; and how many they are, [B]."""
    stage, time = step // LENGTH, step % LENGTH
    unit = (BASE ** (STAGES - 1 - stage))[:, None]
    known = order < time[:, None]
    future, past = x // unit * unit, x // (unit * BASE) * (unit * BASE)
    logits = net(torch.where(known, future, past), known, stage, step)
    chosen = logits[torch.arange(len(x)), stage].log_softmax(1)
    digits = chosen.gather(1, (x // unit % BASE)[:, None])[:, 0]
    return (digits * ~known).sum(1), LENGTH - time


def test_nelbo(net, test, orders, steps):
    bits = 0
    with torch.no_grad():
        for first in range(0, len(steps), BATCH):
            rows = torch.arange(first, min(first + BATCH, len(steps)))
            sums, unknown = nats(net, test[rows % len(test)], orders[rows], steps[rows])
            bits -= (sums.double() * STAGES / unknown).sum().item() / math.log(2)
    return bits / len(steps)


def train(seed, clips, test, draws):
    torch.manual_seed(seed)
    net, averaged = Net(), Net()
    averaged.load_state_dict(net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    curve = []
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            curve.append(round(test_nelbo(averaged, test, *draws), 5))
            print(f'seed {seed}, step {step}: test NELBO {curve[-1]:.4f} bits per dimension', file=sys.stderr)
        if step == STEPS:
            return curve
        batch = clips[torch.randint(len(clips), (BATCH,))]
        orders = torch.rand(BATCH, LENGTH).argsort(1)
        sums, unknown = nats(net, batch, orders, torch.randint(STAGES * LENGTH, (BATCH,)))
        loss = -(sums * (STAGES * LENGTH / unknown + CE_WEIGHT)).mean() / (LENGTH * math.log(2))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        with torch.no_grad():
            for mean, value in zip(averaged.parameters(), net.parameters()):
                mean.lerp_(value, 1 - EMA)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--clips', type=pathlib.Path, required=True)
    parser.add_argument('--into', type=pathlib.Path, required=True)
    parser.add_argument('--threads', type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    clips, test = read_clips(arguments.clips)

    torch.manual_seed(1234)
    count = DRAWS_A_CLIP * len(test)
    orders = torch.rand(count, LENGTH).argsort(1)
    steps = ((torch.randperm(count) + 0.5) / count * STAGES * LENGTH).long()
    (arguments.into / 'audio-orders.bin').write_bytes(little_endian(orders))

    curve = {
        'about': ABOUT,
        'command': 'audio_learning.py --clips FOLDER --into bench/reference',
        'training': TRAINING,
        'torch': torch.__version__,
        'numParameters': sum(p.numel() for p in Net().parameters()),
        'numTrain': len(clips),
        'numTest': len(test),
        'dataSha256': hashlib.sha256(little_endian(clips) + little_endian(test)).hexdigest(),
        'steps': list(range(0, STEPS + 1, EVERY)),
        'testNelbo': [train(seed, clips, test, (orders, steps)) for seed in SEEDS],
        'timeSteps': steps.tolist(),
    }
    (arguments.into / 'audio-curve.json').write_text(json.dumps(curve, indent=2) + '\n')


main()
