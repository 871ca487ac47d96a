import { expect, it, vi } from "vitest";
import text from "@octokit/webhooks-examples/api.github.com/index.json?raw";

it("probe", async () => {
  console.log(text.length, JSON.parse(text).length);
});
