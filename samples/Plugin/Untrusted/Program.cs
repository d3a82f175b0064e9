using Hyperlight.Plugins;
using Hyperlight.Samples.Plugin;
using Hyperlight.Samples.Plugin.Untrusted;

await PluginProgram.RunAsync(TextPluginContract.Instance, new TextPlugin());
