import type { UnetConfig } from '../../config/schema.js';
import { UsageError } from '../../errors.js';
import type { NetworkShape } from '../network.js';

/** A residual block, and the attention that may follow it. Names are the original's parameter paths. */
export interface ResidualBlock {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly height: number;
  readonly width: number;
  readonly attention?: string;
}

/** The blocks of one resolution, and the convolution that leads to the next one. */
export interface Level {
  readonly blocks: readonly ResidualBlock[];
  readonly resample?: { readonly name: string; readonly channels: number };
}

/** The U-Net's layers in the order in which they run. */
export interface UnetPlan {
  readonly down: readonly Level[];
  readonly middle: readonly [ResidualBlock, ResidualBlock];
  readonly up: readonly Level[];
  /** Width of the last map. */
  readonly outputs: number;
}

/**
 * Lays out the U-Net of the original (section 5.2 of the specification: a U-Net as in DDPM). Every map on the way
 * down is pushed on a stack; every block on the way up takes one from it.
 *
 * Throws UsageError where the settings do not fit together.
 */
export function planUnet(config: UnetConfig, io: NetworkShape): UnetPlan {
  const { channels, multipliers, blocks, attention } = config;
  const factor = 2 ** (multipliers.length - 1);
  if (io.height % factor !== 0 || io.width % factor !== 0)
    throw new UsageError(
      `model.network.multipliers has ${multipliers.length} resolutions, so the images' height and width must be multiples of ${factor}, but they are ${io.height} x ${io.width}: give fewer multipliers.`,
    );

  const block = (name: string, level: number, inputs: number, attends?: string): ResidualBlock => {
    const height = io.height / 2 ** level;
    const width = io.width / 2 ** level;
    const outputs = channels * multipliers[level]!;
    const wanted = attention === 'all' || (attention !== 'middle' && attention.includes(height));
    return { name, inputs, outputs, height, width, ...(wanted && attends ? { attention: attends } : {}) };
  };

  let width = channels;
  const stack = [width];
  const down = multipliers.map((_, level): Level => {
    const made = Array.from({ length: blocks }, (_, i) => {
      const next = block(`down_${level}.block_${i}`, level, width, `down_${level}.attn_${i}`);
      stack.push((width = next.outputs));
      return next;
    });
    if (level === multipliers.length - 1) return { blocks: made };
    stack.push(width);
    return { blocks: made, resample: { name: `down_${level}.downsample`, channels: width } };
  });

  const bottom = multipliers.length - 1;
  const inMiddle = (name: string, attention?: string): ResidualBlock => ({
    ...block(name, bottom, width),
    outputs: width,
    ...(attention ? { attention } : {}),
  });
  const middle = [inMiddle('mid.block_1', 'mid.attn_1'), inMiddle('mid.block_2')] as const;

  const up = multipliers.map((_, i): Level => {
    const level = bottom - i;
    const made = Array.from({ length: blocks + 1 }, (_, j) => {
      const name = `up_${level}.block_${j}`;
      const next = block(name, level, width + stack.pop()!, `up_${level}.attn_${j}`);
      width = next.outputs;
      return next;
    });
    return level === 0
      ? { blocks: made }
      : { blocks: made, resample: { name: `up_${level}.upsample`, channels: width } };
  });

  checkDivisible([...down, ...up], middle, config);
  return { down, middle, up, outputs: width };
}

/** Groups of the normalisation of a map of so many channels: never more than it has channels. */
export function numGroups(channels: number, config: UnetConfig): number {
  return Math.min(config.groups, channels);
}

function checkDivisible(
  levels: readonly Level[],
  middle: readonly ResidualBlock[],
  config: UnetConfig,
): void {
  for (const block of [...levels.flatMap(({ blocks }) => blocks), ...middle]) {
    for (const channels of [block.inputs, block.outputs])
      if (channels % numGroups(channels, config) !== 0)
        throw new UsageError(
          `model.network.groups is ${config.groups}, which does not divide the ${channels} channels of ${block.name}: take a divisor.`,
        );
    if (block.attention !== undefined && block.outputs % config.heads !== 0)
      throw new UsageError(
        `model.network.heads is ${config.heads}, which does not divide the ${block.outputs} channels of ${block.attention}: take a divisor.`,
      );
  }
}
