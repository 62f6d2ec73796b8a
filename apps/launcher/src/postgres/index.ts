export { Cluster, embeddedUrl, type ClusterOptions } from './cluster.ts'
export { startPostgres, type RunningPostgres } from './start.ts'
