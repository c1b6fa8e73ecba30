// Every page, once: its place, its icon, who sees it. The navigation and the router are made from this list;
// the words are `console.page.NAME`.
import { IconChartBar, IconInbox, IconMap2, IconRoute } from '@tabler/icons-vue'
import type { Component } from 'vue'
import type { RouteRecordRaw } from 'vue-router'

export interface Page {
  name: string
  path: string
  icon: Component
  roles: readonly string[]
  load: () => Promise<unknown>
}

export const PAGES: readonly Page[] = [
  { name: 'inbox', path: '/inbox/:id?', icon: IconInbox, roles: ['supervisor'], load: () => import('./inbox/InboxPage.vue') },
  { name: 'map', path: '/map', icon: IconMap2, roles: ['supervisor'], load: () => import('./map/MapPage.vue') },
  { name: 'coverage', path: '/coverage', icon: IconRoute, roles: ['supervisor'], load: () => import('./coverage/CoveragePage.vue') },
  { name: 'figures', path: '/figures', icon: IconChartBar, roles: ['supervisor'], load: () => import('./figures/FiguresPage.vue') },
]

export const routes: RouteRecordRaw[] = [
  ...PAGES.map(({ name, path, load, roles }) => ({ name, path, component: load as () => Promise<Component>, meta: { roles } })),
  { path: '/:rest(.*)', name: 'nowhere', redirect: '/' },
]

/** What a role has in its navigation, in this order; the first is where it begins. */
export const pagesOf = (role: string): Page[] => PAGES.filter((page) => page.roles.includes(role))
