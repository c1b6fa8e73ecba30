// Who is on this phone and whether anybody is in: what the router asks before every page.
import { ref } from 'vue'
import { backend, type T } from '../backend'

export const people = ref<T.PeopleShown | null>(null)

export async function refreshPeople(): Promise<T.PeopleShown | null> {
  people.value = await backend.call('people').catch(() => null)
  return people.value
}

/** Where somebody has to go first; null when every page is open. */
export function firstOf(lock: T.Lock | undefined): string | null {
  switch (lock) {
    case 'nobody':
      return '/welcome'
    case 'locked':
      return '/unlock'
    case 'pin_missing':
      return '/pin'
    case 'open':
    case undefined:
      return null
  }
}
