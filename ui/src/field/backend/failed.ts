// A refusal as every seam gives it, made an error of the screens.
import { BackendError } from './backend'

export function failed(answer: unknown): BackendError {
  const failure = (typeof answer === 'object' && answer !== null ? answer : { detail: String(answer) }) as { code?: BackendError['code']; path?: string; town_code?: string; detail?: string }
  return new BackendError(failure.code ?? 'unreachable', failure.path ?? null, failure.town_code ?? null, failure.detail ?? '')
}
