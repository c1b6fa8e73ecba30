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
import App from './App.vue'
import en from './locales/en.json'
import zh from './locales/zh.json'
import { router } from './router'
import { look } from './session'

i18n.global.mergeLocaleMessage('en', { console: en })
i18n.global.mergeLocaleMessage('zh', { console: zh })
const wanted: Lang = (localStorage.getItem('lang') ?? navigator.language).startsWith('en') ? 'en' : 'zh'
setLang(wanted)
void look().then(() => createApp(App).use(i18n).use(router).mount('#app'))
