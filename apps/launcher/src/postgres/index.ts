export { Cluster, type ClusterOptions } from './cluster.ts'
export { startPostgres, type RunningPostgres } from './start.ts'
