"""The audio network's training step in eager PyTorch, with its mixture of discretised logistics: see training.py."""

import math

import torch
import torch.nn.functional as F

from training import serve, sinusoids

INPUT = 'InputProcessingAudio_0'


class Diffwave:
    """Outputs [B, 3M, L] from classes int64 [B, L], mask float32 [B, L] and the time embedding [B, channels]."""

    def __init__(self, tensors, request):
        self.blocks, self.cycle = request['network']['blocks'], request['network']['dilationCycle']
        self.channels, self.num_classes = request['network']['channels'], request['numClasses']
        self.weights = {name: self._weight(name, value) for name, value in tensors.items()}
        self.mixtures = self.weights['class_conv/bias'].numel() // 3

    def _weight(self, name, value):
        if value.dim() == 3:
            value = value.permute(2, 1, 0)
        elif name.endswith('/kernel'):
            value = value.t()
        return value.clone(memory_format=torch.contiguous_format).requires_grad_()

    def _conv(self, name, x, dilation=1):
        kernel, bias = self.weights[f'{name}/kernel'], self.weights[f'{name}/bias']
        return F.conv1d(x, kernel, bias, padding=dilation if kernel.shape[2] == 3 else 0, dilation=dilation)

    def _dense(self, name, x):
        return F.linear(x, self.weights[f'{name}/kernel'], self.weights[f'{name}/bias'])

    def __call__(self, classes, mask, time):
        time = F.silu(self._dense(f'{INPUT}/TimeEmbedding_0/dense0', time))
        time = F.silu(self._dense(f'{INPUT}/TimeEmbedding_0/dense1', time))
        values = torch.stack([classes * (2 / self.num_classes) - 1, mask], 1)
        embedded = F.embedding(classes, self.weights[f'{INPUT}/Embed_0/embedding'])
        embedded = self._dense(f'{INPUT}/emb_x_proj', embedded).transpose(1, 2)
        h = F.relu(torch.cat([self._conv(f'{INPUT}/conv_in', values), embedded], 1))
        total = 0
        for i in range(self.blocks):
            name, dilation = f'res_group/ResBlock_{i}', 2 ** (i % self.cycle)
            z = h + self._dense(f'{name}/step_proj', time)[:, :, None]
            tanh = torch.tanh(self._conv(f'{name}/dilated_tanh', z, dilation))
            y = tanh * torch.sigmoid(self._conv(f'{name}/dilated_sigmoid', z, dilation))
            total = total + self._conv(f'{name}/skip', y)
            if i < self.blocks - 1:
                h = (h + self._conv(f'{name}/residual', y)) * math.sqrt(0.5)
        return self._conv('class_conv', F.relu(self._conv('flower_conv', total / math.sqrt(self.blocks))))

    def log_likelihood(self, classes, known, time_steps, examples):
        length = classes.shape[3]
        time = sinusoids(time_steps * (1000 / length), self.channels)
        outputs = self(classes[:, 0, 0], known[:, 0, 0].float(), time)
        return self._mixture(outputs, examples[:, 0]).reshape(examples.shape)

    def _mixture(self, outputs, x):
        """log p(x) of x [B, 1, L]: the mass of each logistic in its bin, in log space."""
        count, half = self.mixtures, 1 / (self.num_classes - 1)
        logits, means, log_scales = outputs.split(count, 1)
        means = means + ((2 * torch.arange(count) + 1) / count - 1)[:, None]
        inverse = torch.exp(-torch.clamp(log_scales - math.log(count), min=-7))
        middle, reach = (x * (2 * half) - 1 - means) * inverse, inverse * half
        below, above = F.logsigmoid(middle + reach), F.logsigmoid(reach - middle)
        mass = below + above + torch.log(-torch.expm1(-2 * reach))
        mass = torch.where(x == 0, below, torch.where(x == self.num_classes - 1, above, mass))
        return torch.logsumexp(mass + logits, 1) - torch.logsumexp(logits, 1)


serve(Diffwave)
