import { compileTemplate } from '../lib/gotemplate/template.ts'
import type { TemplateCompiler } from './values-template.ts'

/** Templates in helm values: Go's, between `${` and `}`; a key that is missing is an error (spec 4.5). */
export const compileValuesTemplate: TemplateCompiler = (text) => {
  const template = compileTemplate(text, { name: 'values', delimiters: ['${', '}'], missingKey: 'error' })
  return (data) => template.render(data)
}
