// Runs before the TypeScript, which an old Node can't read at all: says so in words. On Linux the npm package node-linux-*
// brings a Node of its own, and npm scripts use it; elsewhere it is the system's.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `Sluice needs Node 22.18 or newer, this is ${process.versions.node}.\n` +
      "On Linux, install with optional dependencies (npm ci) and run it through npm: npm start, npm run sluice.\n" +
      "Elsewhere, install a newer Node: https://nodejs.org/\n",
  );
  process.exit(1);
}
