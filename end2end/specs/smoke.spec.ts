import { expect, hydrated, test } from "../fixtures";

test("the first page is rendered by the server and comes alive", async ({ limn, page, a11y }) => {
  const html = await (await fetch(limn.baseURL)).text();
  expect(html).toContain("<title>");
  await page.goto("/");
  await hydrated(page);
  await a11y(page);
});
