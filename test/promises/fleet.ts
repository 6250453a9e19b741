import { held, inFile, type Section } from './promise.ts';

const fleet = inFile(
  'test/fleet/fleet.test.ts',
  'a fleet of 200 agents, through a start, an outage, a mount that is gone, a rollout and a change',
);
const circuit = inFile('test/http/circuit.test.ts', 'the circuit breaker of a backend');
const circuitOfOne = inFile(
  'test/http/circuit.test.ts',
  'the circuit breaker of a backend that one mount has opened, while no other was asked',
);
const client = inFile('test/http/protection.test.ts', 'a client with a circuit breaker');
const limiter = inFile('test/http/request-limiter.test.ts', 'requests to a backend');
const oneOfTwo = inFile('test/fleet/one-mount.test.ts', 'an agent whose secrets are in two mounts, of which one fails');
const patient = inFile('test/base/patient-backoff.test.ts', 'backoff of what need not hurry');
const recovered = inFile('test/lease/outage.test.ts', 'when a backend answers again');
const schedule = inFile('test/lease/schedule.test.ts', 'the schedule');
const start = inFile('test/http/protection.test.ts', 'the start of an agent');
const turn = inFile('test/agent/output/reload-slot.test.ts', 'the turn of a replica');
const share = inFile('test/agent/output/reload-slot.test.ts', 'the share of a replica');
const output = inFile('test/agent/output/loop.test.ts', 'an output');

export const fleetSection: Section = {
  name: 'A fleet',
  promises: [
    held(
      'fleet-recovery',
      'In the recovery from an outage a fleet asks for no more than twice its steady load, and so it does while a mount is gone, in a rollout of 20 minutes and after a change.',
      fleet('never asks for more than twice that: %s', 'recovery'),
      fleet('never asks for more than twice that: %s', 'revoked'),
      fleet('never asks for more than twice that: %s', 'rollout'),
      fleet('has every value fresh again ten minutes after the outage, and lost none in it'),
    ),
    held(
      'fleet-comes-back',
      'When a backend answers again, all that failed meanwhile is tried for within twice the time of the outage, and within two thirds of its refresh, once per refresh.',
      recovered(
        'after an outage of %s all that failed is soon fresh again, at less than twice the usual load',
        'ten minutes',
      ),
      recovered('what was brought forward once is not again before its refresh is over'),
      recovered('what %s keeps its moment', 'the backend has put off'),
      inFile(
        'test/fleet/fleet.test.ts',
        'a fleet of agents with 20 secrets each, after an outage of one minute',
      )('has nearly all that failed fresh again in two minutes, and asks for less than twice its steady load'),
      inFile(
        'test/http/protection.test.ts',
        'a backend that answers again',
      )('is told of to all that listen, with the length of the outage, until they no longer listen'),
    ),
    held(
      'fleet-outage',
      'A server that is away gets no more than three times the steady load of requests, over two minutes.',
      fleet('sends no more than three times that to a server that is away'),
    ),
    held(
      'patient-backoff',
      'What is held and does not end soon is asked for at its usual pace after a few tries; what ends soon is tried for more often.',
      patient('then comes anywhere within the pace, and from then on once per pace'),
      schedule(
        'what is held is asked for at its refresh after three failures of the backend, and after the first refusal',
      ),
      schedule('what ends soon is tried for more often as its end comes nearer'),
      schedule('what is not held, and what has ended while the backend is away, is asked for within 30 s'),
    ),
    held(
      'circuit-opens',
      'A backend that does not answer is asked by one request at a time, and one more of what ends, after pauses with full jitter, whatever the number of secrets.',
      circuit('opens after three failures to connect in a row, whatever the paths, and then nothing is sent'),
      circuit('lets one request through after the pause, and the others wait for it'),
      circuit('pauses longer after each probe that fails, with full jitter, up to 30 s'),
      client(
        'sends nothing while the server fails, tells why with the reason of the server, and goes on when it answers',
      ),
      circuit('opens when all fails that was asked for within the last minute, though another mount was well before'),
      inFile(
        'test/fleet/one-mount.test.ts',
        'an agent with a lease that is not due, whose other secrets are in one mount',
      )('opens the circuit in an outage (%s), and brings forward what failed when it is over', 'hang'),
    ),
    held(
      'circuit-one-path',
      'A secret or a mount that fails keeps no other from being fetched.',
      circuit('is not opened by %s', 'all secrets of one mount that fail'),
      client('goes on with other secrets while the role of one database fails'),
      circuit('is not opened by the only secret of a mount, whenever the others were asked for'),
      circuitOfOne('is passed by the others, and does not open for that mount again before it has answered'),
      limiter('pass a circuit that another mount has opened, one of a mount at a time'),
      oneOfTwo('keeps all of the other one fresh (%s)', 'hang'),
    ),
    held(
      'hung-mount',
      'Secrets of a mount that hang keep those of other mounts waiting until the first timeout at most, and those of their own mount until they were answered once.',
      limiter(
        'do not wait behind those of a mount that hangs, which hold half of the places from the first timeout on',
      ),
      limiter('of a mount that hangs do not wait behind the others of it once they were answered'),
      inFile(
        'test/lease/scale.test.ts',
        'a thousand secrets',
      )('that hang in one part of a backend hold no place of another part'),
      oneOfTwo('asks for all of the other one in time while hundreds of requests hang'),
    ),
    held(
      'urgent-first',
      'When not all requests can be sent, logins go first, then renewals of what ends, then first fetches, then polls. Polls that hang keep no login and no renewal waiting.',
      limiter('that are logins and renewals do not wait for polls that hang in all slots, nor for a probe that hangs'),
      limiter('that wait for a slot begin in the order login, renewal, first fetch, poll, and as they came'),
      inFile(
        'test/lease/urgency.test.ts',
        'the requests of an attempt',
      )('are as urgent as what they are for: first a value, then polls, and what ends or is asked for before these'),
      circuit('lets an urgent request through a second after the last failure'),
    ),
    held(
      'request-rate',
      '`requests.perSecond` bounds what an agent asks for, and delays no login and no renewal.',
      limiter('come at the rate of the configuration after its burst, and renewals and logins do not wait for it'),
      limiter('at a rate are no more than it, and the burst, over a long time'),
    ),
    held(
      'start-spread',
      'With `requests.startSpread` the first requests of `run` come within that time, and those of `init` at once.',
      start('is at a random moment within startSpread where the process stays'),
      start('is at once for init, and without startSpread'),
      limiter('wait for the start of their agent, but a renewal does not'),
      inFile(
        'test/fleet/fleet.test.ts',
        'a fleet that starts in one instant',
      )('asks at once without startSpread, and spread over it with it'),
    ),
    held(
      'reload-spread',
      'With `reloadSpread` each replica reloads at a turn of its own, and changes that keep coming do not put it off.',
      output(
        'with reloadSpread is published at once, and reloaded at the turn of its replica, in one go with what came since',
      ),
      turn('is kept by later generations, so that changes which keep coming do not put it off'),
      share('is spread evenly over the replicas of a fleet, whose names differ in their ends'),
      output('with reloadSpread is reloaded at once when a client asks for it'),
    ),
    held(
      'reload-spread-ends',
      'A reload is not put off when what the application has would end before it.',
      turn('is now when what the application has ends %s', 'within the spread'),
      output('with reloadSpread is reloaded at once when the lease ends that the application has'),
    ),
  ],
};
