// The version of the platform, from the repository's package.json.
import packageJson from '../../../package.json' with { type: 'json' }

export const version: string = packageJson.version
