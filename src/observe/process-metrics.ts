import { readdirSync } from 'node:fs';
import type { Registry } from 'prom-client';
import { only, registerComputed, seconds } from './computed-metric.ts';

/**
 * Registers metrics of the process under the names that all Prometheus clients use
 * (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics). Those of prom-client would need a
 * tracing library of 14 MiB, and a timer that fires 100 times a second.
 */
export function registerProcess(registry: Registry, startedWallMs: number): void {
  const gauge = (name: string, help: string, read: () => number) =>
    registerComputed(registry, { name, help, type: 'gauge', samples: () => only(read()) });

  registerComputed(registry, {
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, user and system.',
    type: 'counter',
    samples: () => {
      const { user, system } = process.cpuUsage();
      return only((user + system) / 1e6);
    },
  });
  gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss());
  gauge('process_start_time_seconds', 'When the agent started.', () => seconds(startedWallMs));
  registerComputed(registry, {
    name: 'process_open_fds',
    help: 'Open file descriptors; absent where there is no /proc.',
    type: 'gauge',
    samples: () => (process.platform === 'linux' ? only(readdirSync('/proc/self/fd').length - 1) : []),
  });
  gauge('nodejs_heap_size_used_bytes', 'Memory in use on the JavaScript heap.', () => process.memoryUsage().heapUsed);
  gauge(
    'nodejs_heap_size_total_bytes',
    'Size of the JavaScript heap, free memory included.',
    () => process.memoryUsage().heapTotal,
  );
  gauge('nodejs_external_memory_bytes', 'Memory of buffers outside the heap.', () => process.memoryUsage().external);
}
