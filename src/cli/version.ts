import { VERSION } from '../config/version.ts'
import { defineCommand } from './command.ts'

export const version = defineCommand({
  description: 'Prints the version of this command.',
  run: async ({ io }) => io.print(`fleet version ${VERSION}\n`),
})
