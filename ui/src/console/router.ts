// Pages by the part of the address behind `#`: the town serves one document.
import { createRouter, createWebHashHistory } from 'vue-router'
import { pagesOf, routes } from './pages'
import { me } from './session'

export const router = createRouter({ history: createWebHashHistory(), routes: [{ path: '/', name: 'home', component: { render: () => null } }, ...routes] })

router.beforeEach((to) => {
  // Without a session the sign-in stands in the place of every page, and the address is kept.
  if (!me.value) return true
  const roles = to.meta.roles as readonly string[] | undefined
  if (roles?.includes(me.value.role)) return true
  const first = pagesOf(me.value.role)[0]
  if (!first || to.name === first.name) return true
  return { name: first.name }
})
