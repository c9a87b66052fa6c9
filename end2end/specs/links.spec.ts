// What holds objects together: groups and relations, by mouse and keys, as the server keeps them.
import { makeProject } from "../pages/data";
import { LabelPage } from "../pages/label";
import { expect, hydrated, test, unique } from "../fixtures";
import type { Api } from "../fixtures";

type Linked = { id: string; group?: string; relations?: { to: string; kind?: string }[] };

async function stored(api: Api, project: string): Promise<Linked[]> {
  const [row] = (await api.get(`/api/v1/projects/${project}/items`)).rows;
  return row.annotations;
}

test("objects are grouped and related, and taken back", async ({ limn, admin, page, signIn, a11y, shots }) => {
  const api = limn.api(admin.token);
  const project = await makeProject(api, unique("Links"), { items: 1 });
  await signIn(page, admin);
  // A manager says what relations can say.
  await page.goto(`/projects/${project.id}/settings`);
  await hydrated(page);
  await page.getByLabel("What one object can be to another").fill("holds\npart of");
  const card = page.locator("form").filter({ hasText: "What one object" });
  await card.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();
  await a11y(page);
  await shots(page, "settings-relations");
  await page.setViewportSize({ width: 1440, height: 900 });

  const label = new LabelPage(page);
  await label.open(project.id);
  await page.keyboard.press("1");
  await label.draw([0.2, 0.3], [0.32, 0.5]);
  await label.draw([0.45, 0.3], [0.57, 0.5]);
  await label.draw([0.7, 0.3], [0.82, 0.5]);
  await label.saved();
  const [a, b, c] = (await stored(api, project.id)).map((l) => l.id);
  await page.keyboard.press("v");
  await page.keyboard.press("Escape");

  // Two of them are a group.
  const box = (await label.stage.boundingBox())!;
  const click = (x: number, y: number) => page.mouse.click(box.x + box.width * x, box.y + box.height * y);
  await click(0.26, 0.4);
  await page.keyboard.down("Shift");
  await click(0.51, 0.4);
  await page.keyboard.up("Shift");
  await page.keyboard.press("Control+g");
  await label.saved();
  const groups = async () => (await stored(api, project.id)).map((l) => l.group ?? null);
  const [first, second, third] = await groups();
  expect(first).toBe(second);
  expect([first === null, third]).toEqual([false, null]);
  await expect(page.getByText("Group 1 \u00b7 2 objects")).toBeVisible();

  // The first relates to the third: begun by key, ended by a click.
  await click(0.26, 0.4);
  await page.keyboard.press("Alt+r");
  await expect(page.getByTestId("hint")).toContainText("Pick the object");
  await click(0.76, 0.4);
  await label.saved();
  const relations = async () => (await stored(api, project.id)).find((l) => l.id === a)?.relations ?? [];
  await expect.poll(relations).toEqual([{ to: c, kind: "holds" }]);
  const row = page.getByTestId("relation");
  await expect(row).toHaveCount(1);
  await row.getByLabel(/What the relation/).selectOption("part of");
  await label.saved();
  await expect.poll(relations).toEqual([{ to: c, kind: "part of" }]);
  await a11y(page);
  await shots(page, "label-links");
  await page.setViewportSize({ width: 1440, height: 900 });

  // The object at the other end goes, and comes back with the relation; the group is dissolved.
  await row.getByRole("button", { name: /^To / }).click();
  await page.keyboard.press("Delete");
  await label.saved();
  await expect.poll(relations).toEqual([]);
  await page.keyboard.press("Control+z");
  await label.saved();
  await expect.poll(relations).toEqual([{ to: c, kind: "part of" }]);
  await page.reload();
  await hydrated(page);
  await label.ready();
  await page.getByTestId("object").first().click();
  await page.getByRole("button", { name: "Take the selection out of its group" }).click();
  await label.saved();
  await expect.poll(async () => (await groups())[0]).toBeNull();
  await page.getByRole("button", { name: /Turn the relation/ }).click();
  await label.saved();
  await expect.poll(relations).toEqual([]);
  const back = (await stored(api, project.id)).find((l) => l.id === c);
  expect(back?.relations).toEqual([{ to: a, kind: "part of" }]);
  expect((await stored(api, project.id)).find((l) => l.id === b)?.group).toBe(second);
});
