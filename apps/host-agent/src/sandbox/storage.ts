// What happens to the files of sandboxes, as one part: a test replaces one step to make it fail.
import { stageRecord, writeRecord } from './record.ts'
import { cloneFile, foldDelta, saveDirtyPages } from '../storage/memory.ts'
import {
  blankMemory,
  cloneDisk,
  giveFolderTo,
  linkBase,
  makeVmFolder,
  removeFiles,
  removeVmFolder,
  takeFolderBack,
} from '../storage/vm-folder.ts'

export function openStorage(hostkit: string) {
  return {
    makeFolder: makeVmFolder,
    removeFolder: removeVmFolder,
    giveTo: giveFolderTo,
    takeBack: takeFolderBack,
    cloneDisk,
    linkBase,
    blankMemory,
    removeFiles,
    writeRecord,
    stageRecord,
    saveDirtyPages: saveDirtyPages.bind(undefined, hostkit),
    foldDelta: foldDelta.bind(undefined, hostkit),
    cloneFile: cloneFile.bind(undefined, hostkit),
  }
}

export type Storage = ReturnType<typeof openStorage>
