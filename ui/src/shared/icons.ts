// One icon for each word of a closed list; the word stands beside it, always.
import {
  IconAlertOctagon, IconAlertTriangle, IconArrowBackUp, IconBarrierBlock, IconBolt, IconBuildingFactory2,
  IconChecklist, IconCircleCheck, IconCircleX, IconCloudCheck, IconDeviceMobile, IconDots, IconDroplet,
  IconEyeCheck, IconFirstAidKit, IconFlame, IconGasStation, IconHome, IconHomeExclamation, IconHourglass,
  IconInfoCircle, IconMeat, IconMountain, IconPool, IconRipple, IconRoad, IconShieldExclamation, IconTrash,
  IconTrees, IconUsers, IconWalk, IconGitMerge, IconMapPin, IconHome2, IconClipboardList,
} from '@tabler/icons-vue'
import type { Component } from 'vue'

export const CATEGORIES = [
  'fire', 'electrical', 'gas', 'structure', 'slope', 'flood', 'road', 'water', 'forest_fire', 'food_drug',
  'workplace', 'sanitation', 'public_health', 'public_order', 'other',
] as const
export const SEVERITIES = ['general', 'serious', 'major'] as const

const CATEGORY: Record<string, Component> = {
  fire: IconFlame, electrical: IconBolt, gas: IconGasStation, structure: IconHomeExclamation, slope: IconMountain,
  flood: IconRipple, road: IconRoad, water: IconPool, forest_fire: IconTrees, food_drug: IconMeat,
  workplace: IconBuildingFactory2, sanitation: IconDroplet, public_health: IconFirstAidKit, public_order: IconUsers,
  other: IconDots,
}
const KIND: Record<string, Component> = {
  hazard: IconAlertTriangle, patrol: IconWalk, household: IconHome2, household_check: IconChecklist,
  task: IconClipboardList, grid: IconMapPin,
}
const STATE: Record<string, Component> = {
  on_phone: IconDeviceMobile, sending: IconHourglass, received: IconCloudCheck, under_review: IconEyeCheck,
  returned: IconArrowBackUp, conflict: IconGitMerge, rejected: IconCircleX, held: IconHourglass, deleted: IconTrash,
}
const SEVERITY: Record<string, Component> = {
  general: IconInfoCircle, serious: IconAlertTriangle, major: IconAlertOctagon,
}
const RISK: Record<string, Component> = {
  low: IconCircleCheck, medium: IconShieldExclamation, high: IconAlertOctagon,
}

export const categoryIcon = (word: string): Component => CATEGORY[word] ?? IconBarrierBlock
export const kindIcon = (word: string): Component => KIND[word] ?? IconHome
export const stateIcon = (word: string): Component => STATE[word] ?? IconCloudCheck
export const severityIcon = (word: string): Component => SEVERITY[word] ?? IconInfoCircle
export const riskIcon = (word: string): Component => RISK[word] ?? IconInfoCircle
