import { createApp } from 'vue'
import 'vant/es/switch/style'
import 'vant/es/toast/style'
import 'vant/es/config-provider/style'
import '@shared/theme/tokens.css'
import '@shared/theme/base.css'
import { i18n } from '@shared/i18n'
import App from './App.vue'
import { startListening } from './backend'
import { loadSettings } from './settings'
import { router } from './router'

startListening()
void loadSettings().then(() => createApp(App).use(i18n).use(router).mount('#app'))
