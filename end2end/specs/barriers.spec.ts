// That what looks for barriers on pages finds one: all journeys trust it.
import { expect, hydrated, test } from "../fixtures";

test("a button without a name is a barrier", async ({ page, a11y, admin, signIn }) => {
  await signIn(page, admin);
  await page.goto("/");
  await hydrated(page);
  await a11y(page);
  await page.evaluate(() => {
    const button = document.createElement("button");
    button.id = "nameless";
    document.querySelector("main")!.append(button);
  });
  await expect(a11y(page)).rejects.toThrow(/button-name/);
  await a11y(page, { exclude: ["#nameless"] });
});
