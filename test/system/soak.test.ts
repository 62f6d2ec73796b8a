// Nothing is lost or changed by pauses, resumes and snapshots, on a real platform. `npm run soak` does the same for longer.
import { after, before, test } from 'node:test'
import { TestPlatform } from '../support/real-platform.ts'
import { pauseResumeCycles } from '../support/soak/cycles.ts'
import { snapshotChain } from '../support/soak/snapshots.ts'
import { User } from '../support/user.ts'

let platform: TestPlatform
let user: User

before(async () => {
  platform = await TestPlatform.create()
  user = await User.signUp(platform.url)
})

after(() => platform?.remove())

for (const vcpus of [1, 2])
  test(`a sandbox with ${vcpus} vcpu goes on through ten pauses and resumes, whenever they come`, async () => {
    await pauseResumeCycles(platform, user, { cycles: 10, vcpus })
  })

test('snapshots of snapshots go on from where the former stood, and clones differ in identity only', async () => {
  await snapshotChain(platform, user, { depth: 3, clones: 3 })
})
