// `ardm-worker` where there is no GPU: whatever `--gpu` names one computes on a thread of the CPU instead.
import { runMain } from '../../shared/cli.js';
import { main } from '../../worker/main.js';

await runMain('ardm-worker', (argv) => {
  const flag = argv.lastIndexOf('--gpu');
  if (flag < 0 || !/^\d+$/.test(argv[flag + 1]!)) return main(argv);
  const others = argv.filter((argument, i) => argument !== '--gpu' && argv[i - 1] !== '--gpu');
  return main([...others, '--cpu', '--threads', '1']);
});
