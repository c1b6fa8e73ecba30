import { createApp } from 'vue'
import 'element-plus/es/components/base/style/css'
import 'element-plus/es/components/button/style/css'
import 'element-plus/es/components/checkbox/style/css'
import 'element-plus/es/components/dialog/style/css'
import 'element-plus/es/components/input/style/css'
import 'element-plus/es/components/select/style/css'
import '@shared/theme/tokens.css'
import '@shared/theme/base.css'
import './theme.css'
import { i18n, setLang, type Lang } from '@shared/i18n'
import { setMapBase } from '@shared/map/base'
import adminEn from './admin/locales/en.json'
import adminZh from './admin/locales/zh.json'
import App from './App.vue'
import './inbox/useAlarm'
import en from './locales/en.json'
import zh from './locales/zh.json'
import { townBase } from './map/base'
import { router } from './router'
import { look } from './session'

i18n.global.mergeLocaleMessage('en', { console: en, admin: adminEn })
i18n.global.mergeLocaleMessage('zh', { console: zh, admin: adminZh })
setMapBase(townBase)
const wanted: Lang = (localStorage.getItem('lang') ?? navigator.language).startsWith('en') ? 'en' : 'zh'
setLang(wanted)
void look().then(() => createApp(App).use(i18n).use(router).mount('#app'))
