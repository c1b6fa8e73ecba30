// Every page, once: its place, its icon, who sees it. The navigation and the router are made from this list;
// the words are `console.page.NAME`.
import {
  IconChartBar, IconChecklist, IconClipboardList, IconDeviceMobile, IconHandStop, IconHeartbeat, IconHistory, IconHourglass, IconInbox, IconMap2, IconMapDown,
  IconPrinter, IconQrcode, IconRoute, IconSpeakerphone, IconUsers, IconVectorTriangle,
} from '@tabler/icons-vue'
import type { Component } from 'vue'
import type { RouteRecordRaw } from 'vue-router'

export interface Page {
  name: string
  path: string
  icon: Component
  roles: readonly string[]
  /** Stands alone, without the frame: to be printed. */
  bare?: boolean
  /** Not in the navigation: another page leads to it. */
  hidden?: boolean
  load: () => Promise<unknown>
}

export const PAGES: readonly Page[] = [
  { name: 'inbox', path: '/inbox/:id?', icon: IconInbox, roles: ['supervisor'], load: () => import('./inbox/InboxPage.vue') },
  { name: 'tasks', path: '/tasks/:id?', icon: IconChecklist, roles: ['supervisor'], load: () => import('./tasks/TasksPage.vue') },
  { name: 'map', path: '/map', icon: IconMap2, roles: ['supervisor'], load: () => import('./map/MapPage.vue') },
  { name: 'coverage', path: '/coverage', icon: IconRoute, roles: ['supervisor'], load: () => import('./coverage/CoveragePage.vue') },
  { name: 'figures', path: '/figures', icon: IconChartBar, roles: ['supervisor'], load: () => import('./figures/FiguresPage.vue') },
  { name: 'daily', path: '/print/daily', icon: IconPrinter, roles: ['supervisor'], bare: true, load: () => import('./print/DailyPage.vue') },
  { name: 'notice', path: '/print/notice/:id', icon: IconPrinter, roles: ['supervisor'], bare: true, hidden: true, load: () => import('./print/NoticePage.vue') },
  { name: 'accounts', path: '/accounts', icon: IconUsers, roles: ['admin'], load: () => import('./admin/accounts/AccountsPage.vue') },
  { name: 'invites', path: '/invites', icon: IconQrcode, roles: ['admin'], load: () => import('./admin/invites/InvitesPage.vue') },
  { name: 'devices', path: '/devices', icon: IconDeviceMobile, roles: ['admin'], load: () => import('./admin/devices/DevicesPage.vue') },
  { name: 'notices', path: '/notices', icon: IconSpeakerphone, roles: ['supervisor', 'admin'], load: () => import('./notices/NoticesPage.vue') },
  { name: 'held', path: '/held/:id?', icon: IconHandStop, roles: ['supervisor', 'admin'], load: () => import('./admin/held/HeldPage.vue') },
  { name: 'grids', path: '/grids', icon: IconVectorTriangle, roles: ['admin'], load: () => import('./admin/grids/GridsPage.vue') },
  { name: 'tiles', path: '/tiles', icon: IconMapDown, roles: ['admin'], load: () => import('./admin/tiles/TilesPage.vue') },
  { name: 'templates', path: '/templates', icon: IconClipboardList, roles: ['admin'], load: () => import('./admin/templates/TemplatesPage.vue') },
  { name: 'retention', path: '/retention', icon: IconHourglass, roles: ['admin'], load: () => import('./admin/retention/RetentionPage.vue') },
  { name: 'standing', path: '/standing', icon: IconHeartbeat, roles: ['admin'], load: () => import('./admin/standing/StandingPage.vue') },
  { name: 'audit', path: '/audit', icon: IconHistory, roles: ['admin'], load: () => import('./audit/AuditPage.vue') },
]

export const routes: RouteRecordRaw[] = [
  ...PAGES.map(({ name, path, load, roles, bare }) => ({ name, path, component: load as () => Promise<Component>, meta: { roles, bare } })),
  { path: '/:rest(.*)', name: 'nowhere', redirect: '/' },
]

/** What a role has in its navigation, in this order; the first is where it begins. */
export const pagesOf = (role: string): Page[] => PAGES.filter((page) => page.roles.includes(role) && !page.hidden)
