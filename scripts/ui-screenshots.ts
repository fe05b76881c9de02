// Pauses and resumes a tenant from the Temporal UI's own dialog, like a person, and keeps pictures of it for docs/. Needs Chromium on the
// machine and something that runs, e.g. `npm run demo -- --keep`:
//   node scripts/ui-screenshots.ts --ui http://127.0.0.1:8233 --tenant shop [--chromium /usr/bin/chromium] [--out docs/images]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';

const { values } = parseArgs({
  options: {
    ui: { type: 'string', default: 'http://127.0.0.1:8233' },
    tenant: { type: 'string' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
    out: { type: 'string', default: 'docs/images' },
  },
});
if (values.tenant === undefined) {
  console.error('tenant: missing. Fix: --tenant NAME, as "untilgreen tenant list" shows it');
  process.exit(2);
}
const { ui, tenant, out } = values;
await mkdir(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: values.chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.goto(`${ui}/namespaces/default/workflows`);
  await page.getByText(`tenant/${tenant}`).first().waitFor();
  await page.screenshot({ path: join(out, 'workflows.png') });

  await page.goto(`${ui}/namespaces/default/workflows/${encodeURIComponent(`tenant/${tenant}`)}`);
  await page.getByText('User Metadata', { exact: true }).first().click();
  await page.getByText('Current Details').first().waitFor();
  await page.screenshot({ path: join(out, 'tenant.png') });

  await sendUpdate(page, 'pause', { reason: 'release freeze', by: 'ana' }, join(out, 'pause-dialog.png'));
  await sendUpdate(page, 'resume', { reason: 'freeze is over', by: 'ana' });
  console.log(`pictures in ${out}`);
} finally {
  await browser.close();
}

/** Fills in the dialog of the UI and submits it; fails when the UI reports an error. */
async function sendUpdate(page: Page, name: string, input: object, picture?: string): Promise<void> {
  await page.getByRole('button', { name: 'More Actions' }).first().click();
  await page.getByRole('menuitem', { name: 'Send an Update' }).first().click();
  // The page holds the dialog twice, once hidden, for narrow windows.
  const select = page.locator('#update-select:visible');
  await select.locator('xpath=..').click();
  await page
    .locator('[role=option]:visible')
    .filter({ hasText: new RegExp(`^\\s*${name}\\b`) })
    .first()
    .click();
  await page.locator('#update-id:visible').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.insertText(JSON.stringify(input));
  if (picture !== undefined) await page.screenshot({ path: picture });
  // Leaving the field formats it, which moves the button.
  await page.locator('#update-id:visible').focus();
  await page.waitForTimeout(500);
  await page.locator('button[type=submit]:visible').filter({ hasText: 'Submit' }).click();
  await select.waitFor({ state: 'hidden', timeout: 20_000 });
}
