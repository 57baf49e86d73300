import type { Ops } from '../../networks/ops.js';
import { plainOps } from '../../networks/plain-ops.js';
import type { Tensor } from '../../networks/tensors.js';
import { traceBackend } from './backend.js';
import type { Builder } from './builder.js';
import type { Value } from './graph.js';
import { attention, attentionGradients } from './ops/attention.js';
import { conv1x1, conv1x1Input, conv1x1Kernel } from './ops/conv1x1.js';
import { conv3x3, conv3x3Input, conv3x3Kernel } from './ops/conv3x3.js';
import { dilatedConv, dilatedConvInput, dilatedConvKernel, tapsOf } from './ops/dilated-conv.js';
import { embedClasses, embedGradients, embedTable } from './ops/embed.js';
import { feedForward, feedForwardGradients, type Layers } from './ops/feed-forward.js';
import { gelu, geluInput } from './ops/gelu.js';
import { layerNorm, layerNormGradients } from './ops/layer-norm.js';
import { logLikelihood, logLikelihoodGradients } from './ops/likelihood.js';
import { lower } from './ops/lower.js';
import { groupNorm, groupNormGradients } from './ops/norm.js';
import { dropout, gate, gateInputs, keptFactors, swishInput, swishOf } from './ops/pointwise.js';
import { fromRows, toRows } from './ops/rows.js';
import { selfAttention } from './ops/self-attention.js';
import { sequenceAttention, sequenceAttentionGradients } from './ops/sequence-attention.js';
import {
  conv3x3Stride2,
  conv3x3Stride2Input,
  conv3x3Stride2Kernel,
  upsample2,
  upsample2Input,
} from './ops/resample.js';
import { stageLogLikelihood, stageLogLikelihoodGradients } from './ops/stage-likelihood.js';

/** `Ops` recorded in the forms that suit the builder's provider, each with a gradient of its own. */
export function loweredOps(b: Builder): Ops {
  const valueOf = (tensor: Tensor): Value => traceBackend.value(tensor);
  const ofBias = (dy: Value): Value => b.sum(dy, [0, 2, 3]);
  const ops: Ops = {
    conv3x3: (x, kernel, bias) =>
      lower(
        bias ? [x, kernel, bias] : [x, kernel],
        (xs, ks, bs?: Value) => conv3x3(b, xs, ks, bs),
        (dy, xs, ks, bs?: Value) => [
          conv3x3Input(b, dy, ks),
          conv3x3Kernel(b, xs, dy),
          ...(bs ? [ofBias(dy)] : []),
        ],
      ),

    conv3x3Stride2: (x, kernel, bias) =>
      lower(
        [x, kernel, bias],
        (xs, ks, bs) => conv3x3Stride2(b, xs!, ks!, bs!),
        (dy, xs, ks) => [
          conv3x3Stride2Input(b, dy, ks!, xs!.shape),
          conv3x3Stride2Kernel(b, xs!, dy),
          ofBias(dy),
        ],
      ),

    conv1x1: (x, kernel, bias) =>
      lower(
        bias ? [x, kernel, bias] : [x, kernel],
        (xs, ks, bs?: Value) => conv1x1(b, xs, ks, bs),
        (dy, xs, ks, bs?: Value) => [
          conv1x1Input(b, dy, ks),
          conv1x1Kernel(b, xs, dy),
          ...(bs ? [ofBias(dy)] : []),
        ],
      ),

    dilatedConv: (x, kernel, bias, dilation, causal) => {
      const taps = tapsOf(dilation, causal);
      return lower(
        [x, kernel, bias],
        (xs, ks, bs) => dilatedConv(b, xs!, ks!, bs!, taps),
        (dy, xs, ks) => [dilatedConvInput(b, dy, ks!, taps), dilatedConvKernel(b, xs!, dy, taps), ofBias(dy)],
      );
    },

    upsample2: (x) =>
      lower(
        [x],
        (xs) => upsample2(b, xs!),
        (dy) => [upsample2Input(b, dy)],
      ),

    groupNorm: (x, scale, bias, groups, swish) =>
      lower(
        [x, scale, bias],
        (xs, scales, biases) => groupNorm(b, xs!, scales!, biases!, groups, swish),
        (dy, xs, scales, biases) => groupNormGradients(b, dy, xs!, scales!, biases!, groups, swish),
      ),

    layerNorm: (x, scale, bias) =>
      lower(
        [x, scale, bias],
        (xs, scales, biases) => layerNorm(b, xs!, scales!, biases!),
        (dy, xs, scales) => layerNormGradients(b, dy, xs!, scales!),
      ),

    swish: (x) =>
      lower(
        [x],
        (xs) => swishOf(b, xs!),
        (dy, xs) => [swishInput(b, dy, xs!)],
      ),

    gelu: (x) =>
      lower(
        [x],
        (xs) => gelu(b, xs!),
        (dy, xs) => [geluInput(b, dy, xs!)],
      ),

    feedForward: (x, first, second) =>
      lower(
        [x, first.kernel, first.bias, second.kernel, second.bias],
        (xs, ...layers) => feedForward(b, xs!, layers as Layers),
        (dy, xs, ...layers) => feedForwardGradients(b, dy, xs!, layers as Layers),
      ),

    gate: (x, y) =>
      lower(
        [x, y],
        (xs, ys) => gate(b, xs!, ys!),
        (dg, xs, ys) => gateInputs(b, dg, xs!, ys!),
      ),

    embed: (rows, table) =>
      lower(
        [table],
        (tables) => b.gather(tables!, valueOf(rows)),
        (dy, tables) => [embedTable(b, dy, valueOf(rows), tables!)],
      ),

    fromRows: (rows, locations) =>
      lower(
        [rows],
        (given) => fromRows(b, given!, locations),
        (dy, given) => [b.slice(toRows(b, dy), [0, 0], given!.shape)],
      ),

    embedClasses: (classes, table, projection) =>
      lower(
        [table, projection],
        (tables, projections) => embedClasses(b, valueOf(classes), tables!, projections!),
        (dy, tables, projections) => embedGradients(b, dy, valueOf(classes), tables!, projections!),
      ),

    dropout: (x, mask, keep) =>
      lower(
        [x],
        (xs) => dropout(b, xs!, valueOf(mask), keep),
        (dy) => [dropout(b, dy, valueOf(mask), keep)],
      ),

    attention: (query, key, value, heads) =>
      lower(
        [query, key, value],
        (...qkv) => inAnyOrder(b, qkv, (q, k, v) => [attention(b, q!, k!, v!, heads)])[0]!,
        (dy, ...qkv) =>
          inAnyOrder(b, [...qkv, dy], (q, k, v, d) => attentionGradients(b, d!, q!, k!, v!, heads)),
      ),

    sequenceAttention(query, key, value, { dropout: dropped, ...sequences }) {
      if (b.forms.device === 'gpu')
        return plainOps.sequenceAttention(query, key, value, { dropout: dropped, ...sequences });
      const factors = dropped && keptFactors(b, valueOf(dropped.mask), dropped.keep);
      const how = { ...sequences, ...(factors ? { factors } : {}) };
      return lower(
        [query, key, value],
        (q, k, v) => sequenceAttention(b, q!, k!, v!, how),
        (dy, q, k, v) => sequenceAttentionGradients(b, dy, q!, k!, v!, how),
      );
    },

    selfAttention: (x, kernels, sequences) => selfAttention(b, ops.sequenceAttention, x, kernels, sequences),

    logLikelihood: (logits, target, weight) =>
      lower(
        [logits, weight],
        (l, w) => {
          const [ls, ts, ws] = inOneOrder(b, [l!, valueOf(target), w!]);
          return logLikelihood(b, ls!, ts!, ws!);
        },
        (dy, l, w) =>
          inAnyOrder(b, [l!, valueOf(target), w!], (ls, ts, ws) =>
            logLikelihoodGradients(b, dy, ls!, ts!, ws!),
          ),
      ),

    stageLogLikelihood: (logits, { target, within, siblings, children, parents }, weight) => {
      const perVariable = [target, within, siblings].map(valueOf) as [Value, Value, Value];
      const perClass = { children: valueOf(children), parents: valueOf(parents) };
      return lower(
        [logits, weight],
        (l, w) => {
          const [ls, ws, ts, ins, ns] = inOneOrder(b, [l!, w!, ...perVariable]);
          const stage = { target: ts!, within: ins!, siblings: ns!, ...perClass };
          return stageLogLikelihood(b, ls!, stage, ws!);
        },
        (dy, l, w) =>
          inAnyOrder(b, [l!, w!, ...perVariable], (ls, ws, ts, ins, ns) => {
            const stage = { target: ts!, within: ins!, siblings: ns!, ...perClass };
            return stageLogLikelihoodGradients(b, dy, ls!, stage, ws!);
          }),
      );
    },
  };
  return ops;
}

/** Maps of which the first is known in tiles, all in tiles; others as they are. */
function inOneOrder(b: Builder, maps: readonly Value[]): readonly Value[] {
  return b.layouts.knownBlocked(maps[0]!) ? maps.map((x) => b.layouts.toTiled(x)) : maps;
}

/** What an operation that treats all locations alike makes of maps, maps again: in whichever order they are known. */
function inAnyOrder(
  b: Builder,
  maps: readonly Value[],
  operation: (...maps: Value[]) => readonly Value[],
): readonly Value[] {
  const given = inOneOrder(b, maps);
  const results = operation(...given);
  return given === maps ? results : results.map((y) => b.layouts.fromTiled(y));
}
