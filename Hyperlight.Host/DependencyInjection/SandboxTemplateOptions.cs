using Hyperlight.Abstractions;
using Hyperlight.Host.DependencyInjection;
using Hyperlight.Host.Pools;

namespace Hyperlight;

/// <summary>The options of a template of sandboxes, of which the container has a pool. They are checked when the application starts.</summary>
public sealed class SandboxTemplateOptions
{
    /// <summary>
    /// The path of the guest. Set this, <see cref="GuestResource"/> or <see cref="SnapshotDirectory"/>, or call <see
    /// cref="UseGuest"/>. A relative path begins in the content root of the application; a file that is not there is looked for in the
    /// directory of the application.
    /// </summary>
    public string? Guest { get; set; }

    /// <summary>The name of an embedded resource that is the guest.</summary>
    /// <seealso cref="GuestBinary.FromResource"/>
    public string? GuestResource { get; set; }

    /// <summary>
    /// The name of the assembly that has <see cref="GuestResource"/>. Default <see langword="null"/>: the assembly of the application.
    /// </summary>
    public string? GuestAssembly { get; set; }

    /// <summary>The directory of a saved snapshot that sandboxes start from, instead of a guest. Relative as <see cref="Guest"/>.</summary>
    public string? SnapshotDirectory { get; set; }

    /// <summary>The tag or the digest of the saved snapshot. Default <see cref="Snapshot.DefaultTag"/>.</summary>
    public string SnapshotReference { get; set; } = Snapshot.DefaultTag;

    /// <summary>
    /// The path of a file whose bytes each guest gets as init data, which it can read. Default <see langword="null"/>: none. Relative as
    /// <see cref="Guest"/>. It is read when the template is loaded. Not with <see cref="SnapshotDirectory"/>: a snapshot has init data
    /// of its own.
    /// </summary>
    /// <seealso cref="SandboxBuilder.WithInitData"/>
    public string? InitDataFile { get; set; }

    /// <summary>The configuration of the sandboxes. Default <see langword="null"/>: <see cref="HyperlightOptions.Configuration"/>.</summary>
    public SandboxConfiguration? Configuration { get; set; }

    /// <summary>The options of the pool.</summary>
    public SandboxPoolOptions Pool { get; set; } = new();

    /// <summary>
    /// Whether the template is loaded again when the file of its guest or snapshot is replaced. Default <see langword="false"/>: it is
    /// loaded again by <see cref="ISandboxPool.ReloadAsync"/>. The file is looked at each second; a change is a different time of
    /// modification or size. If the new file cannot be loaded, the reason is logged, and the pool continues with the old one.
    /// </summary>
    public bool ReloadOnChange { get; set; }

    /// <summary>
    /// The threads on which guests of this template run that are called asynchronously. Default <see langword="null"/>: <see
    /// cref="HyperlightOptions.GuestThreads"/>.
    /// </summary>
    public GuestThreads? GuestThreads { get; set; }

    /// <summary>How messages name the options: the path of their configuration section, or the template.</summary>
    internal string Source { get; set; } = "";

    /// <summary>What is wrong with the configuration section.</summary>
    internal List<string> Problems { get; } = [];

    /// <summary>The configuration of sandboxes of templates that have none.</summary>
    internal SandboxConfiguration Inherited { get; set; } = new();

    /// <summary>The files that code maps.</summary>
    internal List<TemplateFileMapping> AddedFileMappings { get; } = [];

    /// <summary>The files that the configuration maps.</summary>
    internal IReadOnlyList<TemplateFileMapping> ConfiguredFileMappings { get; set; } = [];

    /// <summary>All files that are mapped.</summary>
    internal IEnumerable<TemplateFileMapping> FileMappings => AddedFileMappings.Concat(ConfiguredFileMappings);

    /// <summary>The guest, if it is not read from a file.</summary>
    internal GuestBinary? Binary { get; private set; }

    /// <summary>What is done with the builder of each sandbox.</summary>
    internal List<Action<SandboxBuilder, LeaseServices>> Builders { get; } = [];

    /// <summary>Uses a guest that is not read from a file, such as an embedded resource.</summary>
    /// <param name="guest">The guest.</param>
    /// <returns>These options, for further calls.</returns>
    public SandboxTemplateOptions UseGuest(GuestBinary guest)
    {
        ArgumentNullException.ThrowIfNull(guest);
        Binary = guest;
        return this;
    }

    /// <summary>Removes the guest, however it was chosen.</summary>
    internal void RemoveGuest()
    {
        Guest = null;
        GuestResource = null;
        SnapshotDirectory = null;
        Binary = null;
    }

    /// <summary>Maps a file into each sandbox, in addition to the files that the configuration maps.</summary>
    /// <param name="path">The file. Relative as <see cref="Guest"/>.</param>
    /// <param name="guestAddress">Guest physical address of the first byte, a multiple of <see cref="GuestPage.Size"/>.</param>
    /// <param name="label">The mapping's name, or <see langword="null"/> for the file name.</param>
    /// <returns>These options, for further calls.</returns>
    /// <exception cref="ArgumentException">The path or the label is invalid.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The address is not page aligned, or leaves guest physical space.</exception>
    /// <seealso cref="SandboxBuilder.WithFileMapping"/>
    public SandboxTemplateOptions AddFileMapping(string path, ulong guestAddress, string? label = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _ = MappingLabel.Choose(path, label);
        GuestPhysicalSpace.CheckAddress(guestAddress);
        AddedFileMappings.Add(new TemplateFileMapping($"{nameof(AddFileMapping)}: ") { Path = path, GuestAddress = guestAddress, Label = label });
        return this;
    }

    /// <summary>Sets host functions, file mappings and init data of each sandbox.</summary>
    /// <param name="configure">Is called for each sandbox, on any thread.</param>
    /// <returns>These options, for further calls.</returns>
    public SandboxTemplateOptions ConfigureSandbox(Action<SandboxBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        Builders.Add((builder, _) => configure(builder));
        return this;
    }

    /// <summary>
    /// Registers host functions that use a service of the application. Each lease has its own scope of services, which is created
    /// when a function first asks for a service, and disposed with the lease.
    /// </summary>
    /// <typeparam name="TService">The service.</typeparam>
    /// <param name="register">Registers the functions, which call the second parameter to get the service of the lease.</param>
    /// <returns>These options, for further calls.</returns>
    public SandboxTemplateOptions AddHostFunctions<TService>(Action<IHostFunctionRegistrar, Func<TService>> register)
        where TService : notnull
    {
        ArgumentNullException.ThrowIfNull(register);
        Builders.Add((builder, services) => register(builder, () => services.GetRequiredService<TService>()));
        return this;
    }
}
