import './app/no-eval'
import { mount } from 'svelte'
import App from './app/App.svelte'
import './app/app.css'
import { Workbench } from './app/workbench.svelte'
import { connect } from './host'

mount(App, { target: document.getElementById('app')!, props: { app: new Workbench(connect()) } })
