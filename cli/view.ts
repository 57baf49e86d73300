import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { send, serveReadOnly } from '../shared/http.js';
import { Page } from '../shared/page/page.js';
import { RunFolder } from '../shared/page/run-folder.js';
import { StopSignals } from '../shared/stop-signals.js';

interface Flags {
  readonly http: string;
  readonly open?: boolean;
}

/** `ardm view`: the coordinator's page over run folders, during the runs and after, several overlaid. */
export function register(program: Command): void {
  program
    .command('view')
    .description(
      "the live page over runs' folders, during a run and after: several are drawn over one another",
    )
    .argument('<runs...>', 'run folders')
    .option('--http <address>', 'HOST:PORT to serve it on; port 0 takes any free one', '127.0.0.1:0')
    .option('--open', 'open it in the browser')
    .action(view);
}

async function view(folders: readonly string[], { http, open }: Flags): Promise<void> {
  const runs = folders.map((folder, i) => new RunFolder(String(i), folder));
  for (const run of runs) await run.check();
  const stopping = new StopSignals();
  const page = new Page(runs, false);
  try {
    const server = await serveReadOnly(http, 'the page', async (request, response) => {
      if (!(await page.answer(request, response))) send(response, 404, 'not found; the page is at /\n');
    });
    console.log(server.url);
    if (open) openBrowser(server.url);
    await new Promise<void>((resolve) => stopping.onStop(resolve));
    await page.close();
    await server.close();
    process.exitCode = stopping.exitCode;
  } finally {
    stopping.close();
  }
}

const OPENERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

function openBrowser(url: string): void {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(command!, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () =>
    console.error(`there is no ${command} to open a browser with: open ${url} yourself`),
  );
  child.unref();
}
