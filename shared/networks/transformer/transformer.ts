import type { TransformerConfig } from '../../config/schema.js';
import type { DropoutSpec, Network, NetworkInput, NetworkShape } from '../network.js';
import type { DenseLayer, Ops } from '../ops.js';
import { tf, type Tensor } from '../tensors.js';
import { Locations } from './locations.js';
import { blockName, EMBEDDING, LAST_NORM, LOGITS, transformerParameters } from './parameters.js';
import { positionTable, shiftRight } from './positions.js';

/**
 * The transformer of the original (specification, section 5.3): blocks of attention and a dense layer of two halves, each
 * after a normalisation, on embedded tokens and fixed sinusoidal positions. It reads neither mask nor time. Sequences
 * are maps of height 1. Left to right and permuted, inputs are shifted by one position and attention looks back
 * only; permuted, a position's embedding is half that of the output's place and half that of the input's.
 *
 * Throws UsageError where the settings do not fit together, or the data are no sequences.
 */
export function createTransformer(config: TransformerConfig, io: NetworkShape): Network {
  const parameters = transformerParameters(config, io);
  return {
    parameters,
    readsMask: false,
    timeChannels: 0,
    dropouts: dropoutsOf(config, io),
    apply(ops, tensors, input) {
      const named = new Map(parameters.map(({ name }, i) => [name, tensors[i]!]));
      return new Pass(ops, named, config, io, input).run();
    },
  };
}

/** Of the embedding; then, of each block, of the attention's weights and output, and of both halves of the dense layer. */
function dropoutsOf({ layers, width, heads, mlpWidth, ...rates }: TransformerConfig, io: NetworkShape) {
  const of = (rate: number, shape: readonly number[]): DropoutSpec[] =>
    rate === 0 ? [] : [{ shape, keep: 1 - rate }];
  const ofMaps = (channels: number) => of(rates.dropout, [channels, 1, io.width]);
  const block = [
    ...of(rates.attentionDropout, [heads, io.width, io.width]),
    ...ofMaps(width),
    ...ofMaps(mlpWidth),
    ...ofMaps(width),
  ];
  return [...ofMaps(width), ...Array.from({ length: layers }, () => block).flat()];
}

/** One forward pass. */
class Pass {
  readonly #ops: Ops;
  readonly #parameters: ReadonlyMap<string, Tensor>;
  readonly #config: TransformerConfig;
  readonly #io: NetworkShape;
  readonly #input: NetworkInput;
  readonly #locations: Locations;
  #numDropouts = 0;

  constructor(
    ops: Ops,
    parameters: ReadonlyMap<string, Tensor>,
    config: TransformerConfig,
    io: NetworkShape,
    input: NetworkInput,
  ) {
    this.#ops = ops;
    this.#parameters = parameters;
    this.#config = config;
    this.#io = io;
    this.#input = input;
    this.#locations = new Locations(input.classes.shape[0]!, io.width);
  }

  run(): Tensor {
    const { layers, dropout } = this.#config;
    let h = this.#dropout(this.#locations.fromRows(this.#ops, this.#embed()), dropout);
    for (let i = 0; i < layers; i++) h = this.#block(blockName(i), h);
    const { kernel, bias } = this.#dense(LOGITS);
    return this.#locations.toMaps(this.#ops.conv1x1(this.#norm(LAST_NORM, h), kernel, bias));
  }

  /** Tokens and positions, [B,L,D]. */
  #embed(): Tensor {
    const { factorization, width: length } = this.#io;
    const { width } = this.#config;
    const { classes, positions } = this.#input;
    const table = this.#get(EMBEDDING);
    const tokens = tf.reshape(this.#ops.embed(classes, table), [classes.shape[0]!, length, width]);
    if (factorization === 'any-order') return tf.add(tokens, positionTable(length, width));
    const shifted = shiftRight(tokens, tf.slice(table, [0, 0], [1, width]));
    if (factorization === 'left-to-right') return tf.add(shifted, positionTable(length, width));
    const places = this.#ops.embed(positions!, positionTable(length, width / 2));
    const given = shiftRight(places, tf.zeros([1, width / 2]));
    return tf.add(shifted, tf.concat([places, given], 2));
  }

  #block(name: string, x: Tensor): Tensor {
    const { dropout } = this.#config;
    const sum = tf.add(x, this.#dropout(this.#attention(name, x), dropout));
    const normal = this.#norm(`${name}/LayerNorm_1`, sum);
    const first = this.#dense(`${name}/MlpBlock_0/Dense_0`);
    const second = this.#dense(`${name}/MlpBlock_0/Dense_1`);
    if (!this.#drops(dropout)) return tf.add(sum, this.#ops.feedForward(normal, first, second));
    const hidden = this.#dropout(
      this.#ops.gelu(this.#ops.conv1x1(normal, first.kernel, first.bias)),
      dropout,
    );
    return tf.add(
      sum,
      this.#dropout(this.#ops.conv1x1(hidden, tf.transpose(second.kernel), second.bias), dropout),
    );
  }

  #attention(name: string, x: Tensor): Tensor {
    const { heads, attentionDropout } = this.#config;
    const normal = this.#norm(`${name}/LayerNorm_0`, x);
    const [query, key, value, out] = ['query', 'key', 'value', 'out'].map((part) =>
      this.#get(`${name}/SelfAttention_0/${part}/kernel`),
    ) as [Tensor, Tensor, Tensor, Tensor];
    const mask = this.#drops(attentionDropout) ? this.#input.dropout[this.#numDropouts++]! : undefined;
    const kernels = { query, key, value, out };
    return this.#ops.selfAttention(normal, kernels, {
      batch: this.#input.classes.shape[0]!,
      length: this.#io.width,
      heads,
      causal: this.#io.factorization !== 'any-order',
      ...(mask ? { dropout: { mask, keep: 1 - attentionDropout } } : {}),
    });
  }

  #norm(name: string, x: Tensor): Tensor {
    return this.#ops.layerNorm(x, this.#get(`${name}/scale`), this.#get(`${name}/bias`));
  }

  #dense(name: string): DenseLayer {
    return { kernel: this.#get(`${name}/kernel`), bias: this.#get(`${name}/bias`) };
  }

  /** In training only. */
  #drops(rate: number): boolean {
    return rate > 0 && this.#input.dropout.length > 0;
  }

  #dropout(x: Tensor, rate: number): Tensor {
    if (!this.#drops(rate)) return x;
    const mask = this.#input.dropout[this.#numDropouts++]!;
    return this.#locations.fromMaps(this.#ops.dropout(this.#locations.toMaps(x), mask, 1 - rate));
  }

  #get(name: string): Tensor {
    return this.#parameters.get(name)!;
  }
}
