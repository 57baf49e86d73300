"""The transformer's training step in eager PyTorch, with its fused attention: see training.py."""

import torch
import torch.nn.functional as F

from training import serve, sinusoids


class Transformer:
    """Logits [B, L, K] from classes int64 [B, L]."""

    def __init__(self, tensors, request):
        self.layers, self.heads = request['network']['layers'], request['network']['heads']
        self.weights = {}
        for layer in range(self.layers):
            name = f'{self._block(layer)}/SelfAttention_0'
            kernels = [tensors.pop(f'{name}/{part}/kernel').flatten(1) for part in ('query', 'key', 'value')]
            tensors[f'{name}/in/kernel'] = torch.cat(kernels, 1)
            tensors[f'{name}/out/kernel'] = tensors[f'{name}/out/kernel'].flatten(0, 1)
        for name, value in tensors.items():
            value = value.t() if name.endswith('/kernel') else value
            self.weights[name] = value.clone(memory_format=torch.contiguous_format).requires_grad_()

    def _block(self, layer):
        return f'decoder/encoderdecoderblock_{layer}'

    def _dense(self, name, x):
        return F.linear(x, self.weights[f'{name}/kernel'], self.weights.get(f'{name}/bias'))

    def _norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.weights[f'{name}/scale'], self.weights[f'{name}/bias'], 1e-6)

    def _attention(self, name, x):
        batch, length, width = x.shape
        heads = self._dense(f'{name}/in', x).reshape(batch, length, 3, self.heads, width // self.heads)
        mixed = F.scaled_dot_product_attention(*heads.permute(2, 0, 3, 1, 4))
        return self._dense(f'{name}/out', mixed.transpose(1, 2).reshape(batch, length, width))

    def __call__(self, classes):
        embedding = self.weights['decoder/Embed_0/embedding']
        h = F.embedding(classes, embedding) + sinusoids(torch.arange(classes.shape[1]), embedding.shape[1])
        for layer in range(self.layers):
            block = self._block(layer)
            h = h + self._attention(f'{block}/SelfAttention_0', self._norm(f'{block}/LayerNorm_0', h))
            hidden = self._dense(f'{block}/MlpBlock_0/Dense_0', self._norm(f'{block}/LayerNorm_1', h))
            h = h + self._dense(f'{block}/MlpBlock_0/Dense_1', F.gelu(hidden, approximate='tanh'))
        return self._dense('decoder/logitdense', self._norm('decoder/encoderdecoder_norm', h))

    def log_likelihood(self, classes, known, time_steps, examples):
        logits = self(classes[:, 0, 0])
        values = -F.cross_entropy(logits.flatten(0, 1), examples.flatten(), reduction='none')
        return values.reshape(examples.shape)


serve(Transformer)
