"""The U-Net's training step in eager PyTorch, with its fused attention: see training.py."""

import torch
import torch.nn.functional as F

from training import serve, sinusoids


class UNet:
    """Logits [B, C*K, H, W] from classes int64 and mask float32 [B, C, H, W] and the time embedding [B, channels]."""

    def __init__(self, tensors, request):
        network = request['network']
        self.blocks, self.groups, self.num_classes = network['blocks'], network['groups'], request['numClasses']
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

    def log_likelihood(self, classes, known, time_steps, examples):
        width = self.weights['InputProcessingImage_0/TimeEmbedding_0/dense0/kernel'].shape[1]
        time = sinusoids(time_steps * (1000 / examples[0].numel()), width)
        logits = self(classes, known.float(), time)
        if self.format == torch.channels_last:
            # [B*H*W*C, K]: each softmax over neighbouring values.
            logits = logits.permute(0, 2, 3, 1).reshape(-1, self.num_classes)
            target = examples.permute(0, 2, 3, 1)
            values = -F.cross_entropy(logits, target.reshape(-1), reduction='none')
            return values.reshape(target.shape).permute(0, 3, 1, 2)
        batch, channels, height, width = examples.shape
        logits = logits.reshape(batch * channels, self.num_classes, height, width)
        values = -F.cross_entropy(logits, examples.reshape(-1, height, width), reduction='none')
        return values.reshape(examples.shape)


serve(UNet)
