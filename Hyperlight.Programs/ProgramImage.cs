using Hyperlight.Host.Snapshots.Files;
using Hyperlight.Programs.Images;

namespace Hyperlight.Programs;

/// <summary>
/// The files of a program: its executable, libraries and data. They become a read-only image file in a cache directory, whose pages all
/// sandboxes share. Immutable and thread-safe.
/// </summary>
/// <remarks>
/// Creating an object of this class reads nothing. The image is built by <see cref="BuildAsync"/>, or by the first runner that uses it.
/// The same files always have the same image, and it is written once: a later build reads the files, to find out that they are the same.
/// </remarks>
public sealed class ProgramImage
{
    private readonly IReadOnlyList<ImageSource> _sources;
    private readonly ProgramImageOptions _options;

    private ProgramImage(string name, string? executable, IReadOnlyList<ImageSource> sources, ProgramImageOptions? options)
    {
        Name = name;
        Executable = executable;
        _sources = sources;
        _options = options ?? ProgramImageOptions.Default;
    }

    /// <summary>The path of what the image is made of, or the name that was given to it. Errors state it.</summary>
    public string Name { get; }

    /// <summary>The path in the image of the only executable; <see langword="null"/> if the image has more files.</summary>
    internal string? Executable { get; }

    /// <summary>An image of one static executable, which is the default of <see cref="ProgramTemplate.Command"/>.</summary>
    /// <param name="path">The file on the host. It is at <c>/</c> and its name in the image, and all users may execute it.</param>
    /// <param name="options">How it is built. Default: <see cref="ProgramImageOptions.Default"/>.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ProgramImage FromExecutable(string path, ProgramImageOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string executable = "/" + Path.GetFileName(path);
        return new ProgramImage(path, executable, [new ExecutableSource(path, executable[1..])], options);
    }

    /// <summary>An image of one static executable, which is the default of <see cref="ProgramTemplate.Command"/>.</summary>
    /// <param name="executable">The ELF file's bytes; they are copied.</param>
    /// <param name="name">The file is at <c>/</c> and this name in the image, and all users may execute it.</param>
    /// <param name="options">How it is built. Default: <see cref="ProgramImageOptions.Default"/>.</param>
    /// <exception cref="ArgumentException">The name is empty or contains a slash.</exception>
    /// <exception cref="ProgramImageException">There are no bytes.</exception>
    public static ProgramImage FromBytes(ReadOnlySpan<byte> executable, string name = "program", ProgramImageOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (executable.IsEmpty)
        {
            throw new ProgramImageException(name, "it is empty");
        }

        if (name.Contains('/', StringComparison.Ordinal))
        {
            throw new ArgumentException("The name of an executable contains no '/'.", nameof(name));
        }

        ProgramFile file = ProgramFile.FromBytes(executable.ToArray(), isExecutable: true);
        return new ProgramImage(name, "/" + name, [new FilesSource([(name, file)])], options);
    }

    /// <summary>
    /// An image whose root is a directory of the host. Links stay links. Modes, hard links and modification times are kept where the
    /// platform has them; everything belongs to the user and the group 0. Devices, pipes and sockets are refused, or left out: see <see
    /// cref="ProgramImageOptions.LeaveOutSpecialFiles"/>.
    /// </summary>
    /// <param name="path">The directory. It must not be changed while the image is built.</param>
    /// <param name="options">How it is built. Default: <see cref="ProgramImageOptions.Default"/>.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ProgramImage FromDirectory(string path, ProgramImageOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new ProgramImage(path, null, [new DirectorySource(path)], options);
    }

    /// <summary>An image of single files and directories. Directories that the paths name are created (mode 0755).</summary>
    /// <param name="files">The files by their paths in the image, which are absolute.</param>
    /// <param name="options">How it is built. Default: <see cref="ProgramImageOptions.Default"/>.</param>
    /// <exception cref="ArgumentException">A path is not absolute, or is the root.</exception>
    public static ProgramImage FromFiles(IReadOnlyDictionary<string, ProgramFile> files, ProgramImageOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        return new ProgramImage("files", null, [FilesSource.Create(files)], options);
    }

    /// <summary>
    /// An image of the files in a tar archive, which may be compressed with gzip. Modes, owners, times, links and hard links are kept.
    /// Refused, with the name of the entry, are paths that are absolute or contain <c>..</c>, two entries of the same name, devices and
    /// pipes (see <see cref="ProgramImageOptions.LeaveOutSpecialFiles"/>), and what exceeds a limit. Nothing is extracted to the host's
    /// file system but the image file.
    /// </summary>
    /// <param name="path">The archive.</param>
    /// <param name="options">How the image is built. Default: <see cref="ProgramImageOptions.Default"/>.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ProgramImage FromTar(string path, ProgramImageOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new ProgramImage(path, null, [new TarSource(path)], options);
    }

    /// <summary>
    /// An image of a container image, which a directory of the OCI image layout has. Layers are applied in their order, with their
    /// whiteouts; they are as in <see cref="FromTar"/>, uncompressed or compressed with gzip. Each blob is verified by its digest. The
    /// configuration of the container image (command, environment) is not used.
    /// </summary>
    /// <param name="path">The directory: the one that contains <c>oci-layout</c> and <c>index.json</c>.</param>
    /// <param name="reference">
    /// A tag, or a manifest's digest. Default, with <see langword="null"/>: the only image for x86-64 Linux that the directory has.
    /// </param>
    /// <param name="options">How the image is built. Default: <see cref="ProgramImageOptions.Default"/>.</param>
    /// <exception cref="ArgumentException">The path is empty, or the reference is neither a tag nor a digest.</exception>
    public static ProgramImage FromOciLayout(string path, string? reference = null, ProgramImageOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new ProgramImage(path, null, [new OciSource(path, reference is null ? null : OciReference.Parse(reference))], options);
    }

    /// <summary>The image with further files, which replace files that it has at the same paths.</summary>
    /// <param name="files">The files by their paths in the image, which are absolute.</param>
    /// <exception cref="ArgumentException">A path is not absolute, or is the root.</exception>
    public ProgramImage WithFiles(IReadOnlyDictionary<string, ProgramFile> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        return new ProgramImage(Name, Executable, [.. _sources, FilesSource.Create(files)], _options);
    }

    /// <summary>Builds the image file, unless the cache has it.</summary>
    /// <param name="progress">Receives how far it has come, for each file.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ProgramImageException">
    /// A file cannot be read, is invalid in an image, exceeds a limit or was changed meanwhile, or the image file cannot be written.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<ProgramImageFile> BuildAsync(
        IProgress<ProgramImageProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Task.Run(() => Build(progress, cancellationToken), cancellationToken);

    internal ProgramImageFile Build(IProgress<ProgramImageProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            using var build = new ImageBuild(Name, _options, ImageCache.Open(_options.CacheDirectory), progress, cancellationToken);
            foreach (ImageSource source in _sources)
            {
                source.AddTo(build);
            }

            return build.Write();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ProgramImageException(Name, exception.Message.TrimEnd('.'), null, exception);
        }
    }
}
