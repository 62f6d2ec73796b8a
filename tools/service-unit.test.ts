import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unitText } from './service-unit.ts'

describe('the systemd unit', () => {
  it('starts the platform from its checkout, whatever the name of the folder', () => {
    const unit = unitText({ folder: '/srv/my "50%" $wrenn', path: '/opt/$node/bin:/usr/bin' })
    assert.match(unit, /^WorkingDirectory=\/srv\/my "50%%" \$wrenn$/m)
    assert.match(
      unit,
      /^ExecStart=\/bin\/sh "\/srv\/my \\"50%%\\" \$\$wrenn\/tools\/bootstrap\.sh" apps\/launcher\/src\/main\.ts$/m,
    )
    assert.match(unit, /^Environment="PATH=\/opt\/\$node\/bin:\/usr\/bin"$/m)
  })

  it('lets VMs live over a restart, starts again after a crash, but not with wrong settings', () => {
    const unit = unitText({ folder: '/opt/wrenn', path: '/usr/bin' })
    for (const line of [
      'KillMode=process',
      'Restart=always',
      'RestartPreventExitStatus=78',
      'Delegate=yes',
    ]) {
      assert.ok(unit.split('\n').includes(line), line)
    }
  })
})
