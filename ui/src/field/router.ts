import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { firstOf, people, refreshPeople } from './people/state'

const routes: RouteRecordRaw[] = [
  { path: '/', name: 'today', component: () => import('./today/TodayPage.vue'), meta: { tabs: true } },
  { path: '/map', name: 'map', component: () => import('./map/MapPage.vue'), meta: { tabs: true } },
  { path: '/todo', name: 'todo', component: () => import('./task/TodoPage.vue'), meta: { tabs: true } },
  { path: '/me', name: 'me', component: () => import('./me/MePage.vue'), meta: { tabs: true } },
  { path: '/settings', component: () => import('./me/SettingsPage.vue') },
  { path: '/battery', component: () => import('./me/BatteryPage.vue') },
  { path: '/privacy', component: () => import('./me/PrivacyPage.vue') },
  { path: '/welcome', name: 'welcome', component: () => import('./welcome/WelcomePage.vue'), meta: { bare: true } },
  { path: '/unlock', component: () => import('./people/UnlockPage.vue'), meta: { bare: true } },
  { path: '/pin', component: () => import('./people/PinPage.vue'), meta: { bare: true, pin: 'set' } },
  { path: '/pin/change', component: () => import('./people/PinPage.vue'), meta: { pin: 'change' } },
  { path: '/pin/forgotten/:id', component: () => import('./people/PinPage.vue'), meta: { bare: true, pin: 'forgotten' } },
  { path: '/report', component: () => import('./hazard/NewHazard.vue') },
  { path: '/hazard/:id', component: () => import('./hazard/HazardForm.vue') },
  { path: '/patrol', component: () => import('./patrol/PatrolPage.vue') },
  { path: '/households', component: () => import('./household/HouseholdsPage.vue') },
  { path: '/household/:id', component: () => import('./household/HouseholdForm.vue') },
  { path: '/check/:id', component: () => import('./household/CheckForm.vue') },
  { path: '/advice/:id', component: () => import('./household/AdvicePage.vue') },
  { path: '/records', component: () => import('./record/RecordsPage.vue') },
  { path: '/record/:id', component: () => import('./record/RecordPage.vue') },
  { path: '/storage', component: () => import('./storage/StoragePage.vue') },
  { path: '/sync', component: () => import('./sync/SyncPage.vue') },
  { path: '/:rest(.*)', redirect: '/' },
]

export const router = createRouter({ history: createWebHistory(), routes, scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 } })

// Where nobody is in, there is one place to be.
router.beforeEach(async (to) => {
  if (to.meta.bare) return true
  return firstOf((people.value ?? (await refreshPeople()))?.lock) ?? true
})
