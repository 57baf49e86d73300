import koffi from 'koffi';

/** A device that Vulkan, and so WebGPU on Linux, offers. */
export interface VulkanDevice {
  readonly name: string;
  /** Computes on the CPU: llvmpipe, SwiftShader. */
  readonly software: boolean;
}

const STRUCTURE_TYPE_INSTANCE_CREATE_INFO = 1;
const DEVICE_TYPE_CPU = 4;
/** VkPhysicalDeviceProperties: its size rounded up, and where in it lie the type and the name. */
const PROPERTIES = { bytes: 1024, type: 16, name: 20, nameBytes: 256 };

/** The devices that Vulkan's loader finds; none where there is no loader. ONNX Runtime doesn't tell what it computes on. */
export function vulkanDevices(): VulkanDevice[] {
  let vulkan;
  try {
    vulkan = koffi.load('libvulkan.so.1');
  } catch {
    return [];
  }
  const createInstance = vulkan.func('int vkCreateInstance(void *, void *, void *)');
  const destroyInstance = vulkan.func('void vkDestroyInstance(uintptr_t, void *)');
  const enumerate = vulkan.func('int vkEnumeratePhysicalDevices(uintptr_t, void *, void *)');
  const getProperties = vulkan.func('void vkGetPhysicalDeviceProperties(uintptr_t, void *)');

  const createInfo = Buffer.alloc(64);
  createInfo.writeInt32LE(STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  const instance = new BigUint64Array(1);
  if (createInstance(createInfo, null, instance) !== 0) return [];
  const count = new Uint32Array(1);
  enumerate(instance[0], count, null);
  const devices = new BigUint64Array(count[0]!);
  enumerate(instance[0], count, devices);
  const found = Array.from(devices, (device) => {
    const properties = Buffer.alloc(PROPERTIES.bytes);
    getProperties(device, properties);
    const name = properties.toString('utf8', PROPERTIES.name, PROPERTIES.name + PROPERTIES.nameBytes);
    return {
      name: name.slice(0, name.indexOf('\0')),
      software: properties.readUInt32LE(PROPERTIES.type) === DEVICE_TYPE_CPU,
    };
  });
  destroyInstance(instance[0], null);
  return found;
}
