// OPS-2, HEALTH-1: with the usual names set and nothing else said, production is watched.
import { expect, it } from 'vitest';
import { usualChecks } from '../../../src/config/health-usual.ts';

const backend = { PRODUCTION_BACKEND_URL: 'http://backend.internal' };
const frontend = { PRODUCTION_FRONTEND_URL: 'https://shop.example' };

it.each([
  [{}, []],
  [{ DEVOPS_API_SECRET: 'x' }, []],
  [backend, ['backend http sev1']],
  [{ ...backend, DEVOPS_API_SECRET: 'x' }, ['backend http sev1', 'devops-api devops sev2']],
  [frontend, ['frontend content sev1', 'certificate tls sev3']],
  [{ PRODUCTION_FRONTEND_URL: 'http://shop.internal' }, ['frontend content sev1']],
  [{ ...backend, PRODUCTION_FRONTEND_URL: '' }, ['backend http sev1']],
])('the usual names %j give %j (OPS-2)', (env, checks) => {
  expect(usualChecks(env).map(({ name, kind, level }) => `${name} ${kind} ${level}`)).toEqual(checks);
});

it('a backend that answers at all is up: nobody said which route it has', () => {
  expect(usualChecks(backend)).toMatchObject([
    {
      url: 'env:PRODUCTION_BACKEND_URL',
      path: '',
      expect: { status: [{ from: 200 }, { from: 300 }, { to: 499 }] },
    },
  ]);
});
