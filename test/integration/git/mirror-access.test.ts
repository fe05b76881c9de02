// SEC-3: a private repository's mirror is there for its own credential only; whoever knows the address and a commit gets nothing of it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ensureMirror } from '../../../src/integrations/git/mirror.ts';
import { createTestRepository } from '../../support/git-repository.ts';

it('a neighbour without the token is not given what another one fetched', async () => {
  const repository = createTestRepository();
  try {
    const cacheDir = join(repository.dir, 'cache');
    mkdirSync(cacheDir);
    const sha = repository.commit({ 'a.txt': 'private\n' });
    const { url } = repository;
    const own = await ensureMirror({ cacheDir, url, token: 'own-token', sha });
    expect((await ensureMirror({ cacheDir, url, token: 'own-token', sha })).path).toBe(own.path);
    for (const token of ['other-token', undefined]) {
      const other = await ensureMirror({ cacheDir, url, token, sha });
      expect(other.path).not.toBe(own.path);
    }
  } finally {
    await repository.remove();
  }
});
