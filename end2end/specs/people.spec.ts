import { expect, hydrated, signInByForm, test, unique } from "../fixtures";

const password = "correct horse battery staple";

test("the set-up link makes the first admin, once", async ({ ownLimn, browser }) => {
  const printed = () => /http:\/\/\S+\/setup\?token=\S+/.exec(ownLimn.log)?.[0];
  await expect.poll(printed, { message: "the server prints a set-up link" }).toBeTruthy();
  const link = printed();
  const page = await browser.newPage();
  await page.goto(`${ownLimn.baseURL}/`);
  await expect(page).toHaveURL(/\/sign-in/);
  await expect(page.getByText("Nobody has an account here yet")).toBeVisible();
  await page.goto(link!);
  await hydrated(page);
  await page.getByLabel("Name").fill("Ana Admin");
  await page.getByLabel("Email").fill("ana@example.org");
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByRole("button", { name: "Create the admin account" }).click();
  await expect(page.getByRole("alert").or(page.getByText("at least 10 characters")).first()).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create the admin account" }).click();
  await expect(page.getByRole("heading", { name: "Hello, Ana" })).toBeVisible();
  await page.goto(link!);
  await hydrated(page);
  if (await page.getByLabel("Name").isVisible()) {
    await page.getByLabel("Name").fill("Eve");
    await page.getByLabel("Email").fill("eve@example.org");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Create the admin account" }).click();
  }
  await expect(page.getByText(/used|expired|has an account/i).first()).toBeVisible();
  await page.close();
});

test("an invited labeler joins, sees only what a labeler may, and is locked out when disabled", async ({ limn, admin, page, browser }) => {
  const email = `${unique("mo").replace(" ", ".")}@example.org`.toLowerCase();
  await page.goto("/sign-in");
  await hydrated(page);
  await signInByForm(page, admin);
  await page.getByRole("link", { name: "People" }).click();
  await page.getByRole("button", { name: "Invite" }).click();
  await page.getByRole("dialog").getByLabel("Email").fill(email);
  await page.getByRole("button", { name: "Create the link" }).click();
  const link = await page.getByTestId("invite-link").innerText();
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("cell", { name: email })).toBeVisible();

  const theirs = await browser.newContext();
  const guest = await theirs.newPage();
  await guest.goto(link);
  await hydrated(guest);
  await guest.getByLabel("Name").fill("Mo Labeler");
  await guest.getByLabel("Password", { exact: true }).fill(password);
  await guest.getByRole("button", { name: "Join" }).click();
  await expect(guest.getByRole("heading", { name: "Hello, Mo" })).toBeVisible();
  await expect(guest.getByRole("link", { name: "People" })).toHaveCount(0);
  const forbidden = await guest.goto(`${limn.baseURL}/people`);
  expect(forbidden!.status()).toBe(403);

  await page.reload();
  await hydrated(page);
  await page.getByRole("row", { name: new RegExp(email) }).getByRole("button", { name: "Disable" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await expect(page.getByRole("row", { name: new RegExp(email) }).getByText("disabled")).toBeVisible();
  await guest.goto(`${limn.baseURL}/`);
  await expect(guest).toHaveURL(/\/sign-in/);
  await theirs.close();
});

test("a token made on the account page works until it is revoked", async ({ limn, admin, page, signIn }) => {
  await signIn(page, admin);
  await page.goto("/account");
  await hydrated(page);
  const name = unique("nightly");
  await page.getByRole("button", { name: "New token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: "Create token" }).click();
  const secret = await page.getByTestId("token-secret").innerText();
  await dialog.getByRole("button", { name: "Done" }).click();
  const me = await limn.api(secret).get("/api/v1/me");
  expect(me.email).toBe(admin.email);
  await page.getByRole("button", { name: `Revoke ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: /revoke/i }).click();
  await expect(page.getByText(name)).toHaveCount(0);
  expect((await limn.api(secret).raw("GET", "/api/v1/me")).status).toBe(401);
});

test.describe("refusals", () => {
  // The browser notes every refused request.
  test.use({ allowErrors: [/status of (401|403|409|410|422)/] });

  test("a changed password ends the other sessions", async ({ limn, page, signIn, browser }) => {
    const user = limn.createUser(`${unique("pw").replace(" ", ".")}@example.org`.toLowerCase(), "labeler");
    const other = await browser.newContext();
    const elsewhere = await other.newPage();
    await signIn(elsewhere, user);
    await signIn(page, user);
    await page.goto("/account");
    await hydrated(page);
    await page.getByLabel("Current password").fill("not it at all");
    await page.getByLabel("New password").fill("another long password");
    await page.getByRole("button", { name: "Change password" }).click();
    await expect(page.getByText(/not your|current password|wrong/i).first()).toBeVisible();
    await page.getByLabel("Current password").fill(user.password);
    await page.getByRole("button", { name: "Change password" }).click();
    await expect(page.getByText("Password changed.").first()).toBeVisible();
    await page.reload();
    await expect(page.getByRole("heading", { name: "Account", level: 1 })).toBeVisible();
    await elsewhere.goto(`${limn.baseURL}/account`);
    await expect(elsewhere).toHaveURL(/\/sign-in/);
    await other.close();
  });
});

test("guessing is slowed down and tells nothing", async ({ limn, admin, request }) => {
  const guess = (email: string) =>
    request.post(`${limn.baseURL}/api/v1/session`, { data: { email, password: "wrong wrong wrong" }, headers: { origin: limn.baseURL } });
  const known = await (await guess(admin.email)).json();
  const unknown = await (await guess("nobody@example.org")).json();
  expect(unknown).toEqual(known);
  const statuses: number[] = [];
  for (let n = 0; n < 12; n++) statuses.push((await guess("victim@example.org")).status());
  expect(statuses).toContain(429);
});
