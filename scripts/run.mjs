// Runs a script of this folder: installs the packages when they are missing or older than the lock file, then starts the script on
// Node ≥ 24 (this Node, or the one that the npm package `node` brings). This file itself must run on Node 20.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [script, ...args] = process.argv.slice(2)

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0
}

function installPackages() {
  const installed = modified(join(root, 'node_modules', '.package-lock.json'))
  if (installed > 0 && installed >= modified(join(root, 'package-lock.json'))) return
  process.stderr.write('installing packages (npm ci, about half a minute) …\n')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    process.stderr.write('npm ci failed: see its messages above; it needs access to the npm registry\n')
    process.exit(1)
  }
}

function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  const packaged = join(root, 'node_modules', 'node', 'bin', 'node')
  if (existsSync(packaged)) return packaged
  process.stderr.write(
    `this needs Node 24 or newer; this is ${process.version}, and the npm package "node" brought none for this machine: install Node 24\n`,
  )
  process.exit(1)
}

installPackages()
const node = findNode()
const env = { ...process.env, PATH: `${dirname(node)}:${join(root, 'node_modules', '.bin')}:${process.env.PATH}` }
const { status, signal } = spawnSync(node, [join(root, script), ...args], { stdio: 'inherit', env, cwd: process.env.INIT_CWD ?? root })
process.exit(signal ? 130 : (status ?? 1))
